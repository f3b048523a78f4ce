"""What supervisor and workers both know: words, messages, names, configuration, errors, storage."""
