"""What models are measured by: a module a metric, and the table in shared/plugins.py that names them."""
