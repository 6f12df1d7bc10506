"""The front before a model server that stands in: load, memory, hostile files."""
