"""Selection: what a training strategy chooses, read from the dataset and cut to the train split."""
