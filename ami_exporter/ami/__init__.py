"""AMI: codec, table of permitted read-only actions, client. Knows no metrics, HTTP or configuration."""
