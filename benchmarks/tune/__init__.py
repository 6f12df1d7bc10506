"""Which launch is fastest on this machine."""
