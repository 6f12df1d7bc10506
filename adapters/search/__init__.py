"""Search for rank, alpha, targets and learning rate: seeded, pruned, resumable."""
