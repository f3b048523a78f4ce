"""What could have been had, with all losses known: the best schedule of trainings."""
