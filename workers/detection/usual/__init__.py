"""Whether rows are what they must be, and what they usually are, for detector `expect`."""
