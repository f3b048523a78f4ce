"""On what to train: a module a strategy, and the table in shared/plugins.py that names them."""
