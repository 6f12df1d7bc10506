"""`make up`: from a clone to two running services. Standard library only: it runs before anything is installed."""
