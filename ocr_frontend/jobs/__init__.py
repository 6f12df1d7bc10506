"""Many images in one call: accepted at once, read one by one, results kept for a set time."""
