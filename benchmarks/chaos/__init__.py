"""Chaos: a replay under faults must end exactly as one that nothing happened to."""
