"""Policies on real data: what retraining only when it is needed costs and gives."""
