"""A card: its time, its reading, its zone, and rules without a model."""
