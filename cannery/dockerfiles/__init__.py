"""Dockerfiles, for people whose platform insists on them: a recipe's stages as templates, filled in."""
