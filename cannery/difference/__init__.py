"""What differs between two images, down to the byte."""
