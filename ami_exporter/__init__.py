"""Prometheus exporter for the Asterisk PBX, over the Asterisk Manager Interface (AMI)."""

__version__ = "0.1.0"
