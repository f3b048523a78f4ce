"""Importance: how much is to be learned from each row, as the current model sees it, and what is drawn by that.

Scores come from one pass over the rows, some at a time, on the model's device; the greater, the more a row matters.
Draws are pure numpy and follow from scores and seed alone.
"""
