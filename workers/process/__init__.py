"""A worker's two processes: the main one takes messages and renews leases, and its child does the work."""
