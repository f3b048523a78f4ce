"""What a training will take, and what it costs to wait: for `cost` and the guard `budget`."""
