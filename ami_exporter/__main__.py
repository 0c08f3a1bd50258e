"""`python -m ami_exporter`."""

import sys

from ami_exporter.cli import main

if __name__ == "__main__":
    sys.exit(main())
