"""From lines to the model's answer."""
