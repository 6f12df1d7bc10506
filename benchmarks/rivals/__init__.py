"""The same work for others that serve such a base."""
