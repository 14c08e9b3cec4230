"""What can be asked over HTTP: every blueprint in here is found and served."""
