"""A simulated OCR: what a real engine does to lines, their order and their characters, without pictures."""
