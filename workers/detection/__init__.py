"""How far what arrives has moved from what was there before: two windows of rows in, statistics of drift out."""
