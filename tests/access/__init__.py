"""Who may do what, proven without a server."""
