"""Runs side by side: their scores on the rows that all of them scored."""
