"""Fleet idle: whether short work ever waits behind long work."""
