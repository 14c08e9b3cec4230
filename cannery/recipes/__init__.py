"""From an app to a plan, and from a plan to what is written."""
