"""Synthetic cards: records, their rendered images and the lines that an OCR engine would read on them."""
