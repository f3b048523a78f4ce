"""The built-in models, the way to build any model, and a model as one file."""
