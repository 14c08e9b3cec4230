"""Registries of images: names, credentials, challenges, and the requests themselves."""
