"""What `data_drift` is told in the file: which statistics of which rows, and which rule judges each."""
