"""`ami-exporter doctor`: what works on a server, what is missing, which right or module would mend it."""
