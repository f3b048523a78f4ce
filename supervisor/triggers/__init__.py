"""When to retrain: a module a trigger policy, and the table in shared/plugins.py that names them."""
