"""Scoring models, and what needs no model, on stretches of rows."""
