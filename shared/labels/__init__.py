"""Labels that come in a table of their own, joined with their rows by key columns."""
