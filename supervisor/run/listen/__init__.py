"""What listens to a run, and decides nothing: log lines, alerts, what is recorded of it."""
