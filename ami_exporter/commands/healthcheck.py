"""`healthcheck`: asks the exporter's own /-/healthy, for container images without a shell."""

from __future__ import annotations

import http.client
import ssl
from typing import TextIO

from ami_exporter.commands.options import Healthcheck


def healthcheck(options: Healthcheck, out: TextIO) -> int:
    """0 when the exporter on this host answers; the certificate is not verified, it is our own."""
    host, _, port = options.listen_address.rpartition(":")
    host = host.strip("[]")
    host = "localhost" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - where the server listens, not us
    connection: http.client.HTTPConnection
    if options.web_config_file and _speaks_tls(options.web_config_file):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, int(port), timeout=options.timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, int(port), timeout=options.timeout)
    try:
        connection.request("GET", f"{options.route_prefix}/-/healthy")
        with connection.getresponse() as response:
            status = response.status
    except (OSError, http.client.HTTPException) as error:
        out.write(f"unhealthy: {error}\n")
        return 1
    finally:
        connection.close()
    # 401: it lives and asks for a password that we do not have.
    healthy = status in (http.HTTPStatus.OK, http.HTTPStatus.UNAUTHORIZED)
    out.write(f"{'healthy' if healthy else 'unhealthy'}: HTTP {status}\n")
    return 0 if healthy else 1


def _speaks_tls(path: str) -> bool:
    from ami_exporter.webconfig.document import load_text, read_web_config  # noqa: PLC0415 - only where there is such a file

    return read_web_config(path, load_text(path)).tls is not None
