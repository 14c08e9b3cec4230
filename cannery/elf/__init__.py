"""ELF files read, and made smaller without moving code."""
