"""What policies are worth: replayed on a recorded stream, and judged against the best schedule in hindsight."""
