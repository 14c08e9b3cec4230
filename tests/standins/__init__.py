"""Stand-ins for the official Python images, for machines that reach no registry which has those."""
