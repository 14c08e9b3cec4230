"""What the service speaks of."""
