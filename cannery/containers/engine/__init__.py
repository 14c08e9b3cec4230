"""An engine: Docker or Podman, asked over its socket."""
