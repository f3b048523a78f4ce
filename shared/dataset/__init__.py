"""The dataset as it grows: which file holds which keys, and reading it by column and range."""
