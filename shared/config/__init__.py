"""The two YAML files: values, schemas, and what is said when they are wrong."""
