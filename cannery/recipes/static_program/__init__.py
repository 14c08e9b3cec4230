"""What the recipe ``static`` makes of an app: one executable, linked with a kit."""
