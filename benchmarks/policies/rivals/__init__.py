"""Rivals of the product's policies, on the matrix of losses alone. None knows more than what was seen when it decides.

Each takes the matrix, what a training costs in units of loss, and how many windows it may learn from; it says at the
beginning of which windows it retrains, from the first one on.
"""
