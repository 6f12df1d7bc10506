"""Libraries that bring no server: each behind the standard library's, by a loop that batches what waits."""
