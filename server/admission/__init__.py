"""Who may ask the engine when, and what it cost: limits of a key, the queue in front of the engine, the account."""
