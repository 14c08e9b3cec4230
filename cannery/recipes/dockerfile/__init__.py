"""A recipe as a Dockerfile: the same stages, in the words of the platform that insists on them."""
