"""Who made an image, and of what: statements about it, signatures of them, and whether they hold."""
