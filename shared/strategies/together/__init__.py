"""Strategies made of strategies, and what may be said of any: a module each."""
