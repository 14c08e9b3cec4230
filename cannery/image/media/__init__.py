"""Images that others are built upon: where they come from, and how they get into the cache."""
