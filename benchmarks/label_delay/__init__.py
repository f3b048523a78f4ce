"""Label delay: what it costs a model when labels are known later than their rows."""
