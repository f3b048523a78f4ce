"""What comes back from the workers, and what is made of it when nothing does."""
