"""web.config.file, the format every Prometheus exporter shares: reads it, checks it and follows its changes."""
