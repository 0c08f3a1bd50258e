"""web.config.file, the format every Prometheus exporter shares: read, checked, and followed while it changes."""
