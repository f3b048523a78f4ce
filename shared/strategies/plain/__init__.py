"""Strategies that go by keys, times and labels alone, and keep nothing: the baselines."""
