"""Drafts: what an answer will probably say next, verified by the model in one step instead of one step a token."""
