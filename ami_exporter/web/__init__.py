"""The HTTP side of the exporter; it knows nothing about AMI."""
