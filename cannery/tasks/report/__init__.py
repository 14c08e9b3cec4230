"""What people see: progress while it works, and what came of it."""
