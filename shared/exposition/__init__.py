"""How a process shows its figures to Prometheus: what they are called, and where they are served."""
