"""What Prometheus is told of a run: counted as it happens, or looked up when somebody asks."""
