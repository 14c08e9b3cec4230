"""Registries of images: what they're called, who may do what there, and how to talk to them."""
