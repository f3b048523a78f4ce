"""What `performance` is told in the file, and what its rules make of a score."""
