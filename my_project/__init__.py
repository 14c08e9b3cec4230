"""The sample: a program to put into an image."""
