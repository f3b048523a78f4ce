"""Measurements: not tests, for what they find depends on the machine."""
