"""What happens before a run's first turn: it is prepared or recovered, and its first events are found."""
