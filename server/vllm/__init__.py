"""What this server needs of vLLM beyond its command line: what it relies upon, checked, and what it mends."""
