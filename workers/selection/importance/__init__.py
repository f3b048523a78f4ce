"""Importance: how much is to be learned from each row, as the current model sees it.

Scores come from one pass over the rows, some at a time, on the model's device; the greater, the more a row matters.
What is drawn by them is in shared/strategies/weighted_draws.py.
"""
