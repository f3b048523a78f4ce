"""Hostile feed: a run follows a folder in which good files, half-written files and bad ones come, grow and go."""
