"""The rows of a training set, encoded, as batches on the device."""
