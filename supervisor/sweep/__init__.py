"""Sweeps: one run for each combination of settings, all on one fleet."""
