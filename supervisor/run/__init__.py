"""One run carried out: its directory, its journal, its observer, and the loop that joins them."""
