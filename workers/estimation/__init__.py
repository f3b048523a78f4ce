"""What a model's scores are expected to be on rows whose labels nobody knows."""
