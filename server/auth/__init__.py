"""Who may do what: keys, their scopes and limits, and the audit of admin actions."""
