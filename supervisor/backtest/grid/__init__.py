"""The grid of a back-test: which models are trained, by which runs, and what stands in POLICIES.yaml about it."""
