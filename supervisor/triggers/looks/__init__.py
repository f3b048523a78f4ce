"""When a policy looks, and at which rows: so many of them, so much event time, or a calendar's moments."""
