"""Runs side by side, on the rows that all of them scored."""
