"""Evaluation on labelled examples of any document: with given lines, or from the pictures through the services."""
