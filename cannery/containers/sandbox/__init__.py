"""A container with no engine: namespaces over an unpacked image."""
