"""What Python runs in the self-contained executable."""

import os
import ssl
import sys
from pathlib import Path

from ami_exporter.cli import main

# Where distributions keep the certificates of public authorities. The bundled OpenSSL knows the first alone.
AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat and its kin
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine
)

paths = ssl.get_default_verify_paths()
if paths.cafile is None and "SSL_CERT_FILE" not in os.environ:
    found = next((path for path in AUTHORITIES if Path(path).exists()), None)
    if found is not None:
        os.environ["SSL_CERT_FILE"] = found

sys.exit(main())
