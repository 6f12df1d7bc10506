"""The pictures in README and docs, taken from running services."""
