"""The program behind the web: all targets, the configuration and its reload, the status page's data."""
