"""Pure decisions: events, state, and the transition from one to the next. No I/O, no clock."""
