"""What follows the dataset: new rows become triggers and slices."""
