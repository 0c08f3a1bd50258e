"""YAML to typed, checked settings. Knows no sockets."""
