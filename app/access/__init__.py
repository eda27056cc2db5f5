"""Who may reach the service."""
