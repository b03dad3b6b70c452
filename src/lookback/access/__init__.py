"""Who may do what: tokens and principals."""
