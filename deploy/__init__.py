"""Bringing the services up. Knows them by their command lines and by HTTP alone; standard library only, as it runs before anything is installed."""
