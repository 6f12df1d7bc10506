"""From an answer to values."""
