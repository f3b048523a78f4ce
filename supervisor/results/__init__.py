"""What a run has shown: scores, composites, the summary. Pure computation over the journal's events."""
