"""Parameters of a policy that are fitted on a first part of the rows."""
