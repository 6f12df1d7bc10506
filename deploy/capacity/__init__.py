"""From benchmark results to machines: `python -m deploy.capacity` writes the tables of docs/reference/capacity*.md."""
