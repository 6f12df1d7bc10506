"""Who may ask: keys with scopes and limits, in the same file as the model server's."""
