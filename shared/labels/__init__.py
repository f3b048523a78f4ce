"""Labels that stand in a table of their own: whose rows they are of, and which were known when."""
