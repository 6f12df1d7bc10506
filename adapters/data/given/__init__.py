"""Labelled examples that people bring of their own documents: pictures or lines, and the values wanted."""
