"""What a policy is worth: total costs on real streams, beside rivals that are tuned on the same part of them."""
