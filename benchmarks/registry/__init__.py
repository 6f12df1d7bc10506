"""The registry: what makes room for what, and what a broken file does."""
