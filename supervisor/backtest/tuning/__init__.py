"""Parameters of a policy that are fitted on a first part of the rows, and the file that the winner is written to."""
