"""What a dataset is understood to hold, from one reading of all of its rows."""
