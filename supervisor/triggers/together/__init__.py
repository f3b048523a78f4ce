"""Several policies on the same rows: how they stop together, ask one after the other, and vote."""
