"""The adapter registry: immutable revisions in folders, aliases in one state file (docs/decisions/0002)."""
