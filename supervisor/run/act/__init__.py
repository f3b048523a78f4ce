"""What carries out commands: messages go out, objects get their names, and what nobody needs is removed."""
