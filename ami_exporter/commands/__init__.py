"""The command line: flags, environment and help, and one module or folder per command."""
