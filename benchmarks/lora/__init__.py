"""What adapters cost: speed, memory, many of them, for long."""
