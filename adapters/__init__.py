"""Adapters: synthetic cards, training, evaluation and the registry of revisions. Imports nothing of ours."""
