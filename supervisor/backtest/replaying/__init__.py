"""A policy on a recorded stream, by the code of runs: what it fires and asks, without trainings."""
