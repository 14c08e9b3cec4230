"""An app as one static executable: a static Python, and of it only what the app reaches."""
