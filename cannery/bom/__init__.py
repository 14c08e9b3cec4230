"""What an image holds, whoever made it: read from its files, and written as bills of materials that scanners read."""
