"""A simulated PBX that speaks real AMI over loopback."""
