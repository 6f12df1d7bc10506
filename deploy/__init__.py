"""Bringing the services up and keeping them in view. Knows them by their command lines and by HTTP alone."""
