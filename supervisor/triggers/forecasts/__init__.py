"""How good models will be: errors that were seen, a regression on them, and how far it may be wrong."""
