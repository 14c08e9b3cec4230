"""The corpus: popular packages, each as a project, in an image and in a virtual environment.

``names.txt`` has their names; ``uses`` has, for some of them, a few lines that use what a package is for.
"""
