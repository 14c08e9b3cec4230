"""Trees become layers, layers become images (OCI image-spec v1.1)."""
