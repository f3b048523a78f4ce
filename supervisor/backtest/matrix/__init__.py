"""What the models of a grid come to on rows: losses by row, and the scores of windows."""
