"""Strategies that keep some of the rows that have become known, and go on from them at the next trigger."""
