"""Which modules a program reaches: read from its sources, with the reason why each is there."""
