"""How one value, or several votes, become a decision: the rules of `decide.py`, and how the file writes them."""
