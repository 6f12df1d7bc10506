"""Benchmarks: one command each, seeded; the last line of output is one JSON document that names the machine."""
