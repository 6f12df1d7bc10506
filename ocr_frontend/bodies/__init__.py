"""What is answered, as data: below everything that computes it, and above nothing."""
