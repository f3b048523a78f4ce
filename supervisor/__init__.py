"""The brain: observes, triggers, publishes, commits. Sees keys and timestamps, never features or weights."""
