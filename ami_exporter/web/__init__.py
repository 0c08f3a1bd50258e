"""HTTP. Knows no AMI."""
