"""What a back-test came to, shown: a table for a terminal, and a picture."""
