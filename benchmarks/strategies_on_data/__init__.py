"""Strategies on real data: what training on a share of the rows costs and gives."""
