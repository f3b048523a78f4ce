"""What travels: tasks to the workers, reports back, and the setup record. Ids, ranges and URIs; never data or code."""
