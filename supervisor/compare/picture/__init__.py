"""The picture of a comparison: what is drawn, how, and in which words. Only what draws loads matplotlib."""
