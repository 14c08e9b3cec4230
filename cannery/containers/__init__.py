"""Running images: ``engine`` asks Docker or Podman, ``sandbox`` does without."""
