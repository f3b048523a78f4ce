"""On what to train: the strategies, by the name that pipeline.yaml gives them."""
