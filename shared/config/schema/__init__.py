"""What both YAML files may say: a module a group of keys."""
