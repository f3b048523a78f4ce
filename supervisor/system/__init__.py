"""What a run stands on: the broker, the fleet, setup, and whether all of it is ready."""
