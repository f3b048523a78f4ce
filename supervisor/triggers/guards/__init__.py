"""What stands around a policy and keeps its decisions, or adds to them: a key of `trigger:` each, and its module."""
