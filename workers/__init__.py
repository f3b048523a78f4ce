"""What runs on the fleet: reading, training and judging models. Messages in, reports and artifacts out."""
