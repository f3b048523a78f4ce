"""From rows of a dataset to rows of numbers a model can read."""
