"""`ami-exporter doctor`: what works on a server, what is missing, and which right or module would fix it."""
