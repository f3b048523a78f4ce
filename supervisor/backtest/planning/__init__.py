"""What `plan` tells: the triggers of a policy and what they would cost, where nothing is trained."""
