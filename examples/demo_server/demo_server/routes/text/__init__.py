"""Blueprints about texts."""
