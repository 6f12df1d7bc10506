"""Training: a recipe in, an immutable revision out."""
