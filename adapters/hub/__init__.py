"""Revisions and a model hub: the card that says what one is, and the way there. Back comes one by `hf://owner/name`."""
