"""HTTP: translation and nothing else. `table` is the allow list; every other route is closed."""
