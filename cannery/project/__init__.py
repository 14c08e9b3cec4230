"""What the user has: settings, entry point, requirements, secrets that must not go along."""
