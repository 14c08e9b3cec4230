"""What makes the site, the reference and the pictures, and what reads the commands that pages show."""
