"""Judging a model by the gate, and putting it where it is used."""
