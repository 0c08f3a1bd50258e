"""Grafana dashboards of ami_exporter: `python -m grafana.build` writes them as JSON."""
