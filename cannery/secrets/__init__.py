"""What looks like a secret: files by name and by form, tokens, passwords in texts, in what is packed, in commands."""
