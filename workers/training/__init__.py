"""One training: from keys and weights to the bytes of a model."""
