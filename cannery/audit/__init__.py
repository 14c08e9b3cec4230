"""Findings on an image: what remains of the app's source, what lets somebody in, what will not run."""
