"""What a team runs today: one process, one request at a time, behind a plain HTTP server (the standard library's)."""
