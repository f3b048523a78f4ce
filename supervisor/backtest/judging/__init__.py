"""What policies come to on the grid: scores, costs, and how far they are from the best schedule."""
