"""Many triggers: what one costs the supervisor when there were many before it."""
