"""Statistics of drift, a module each, and what they are made of; `statistics.py` names them all."""
