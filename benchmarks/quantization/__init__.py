"""What fewer bits cost and give, in training and in serving."""
