"""`healthcheck`: asks the exporter's own /-/healthy, for container images without a shell."""

from __future__ import annotations

import http.client
import ssl
from contextlib import closing
from typing import Final

from ami_exporter.commands.flags import FAILED, OK
from ami_exporter.commands.options import Options, Run
from ami_exporter.web.flags import split_address

PATH: Final = "/-/healthy"
NOBODY: Final = "; is an exporter running there? --web.listen-address names its address"
ANOTHER_PATH: Final = "; is its path another? --web.route-prefix names it"


#: A listen address that means all addresses → the addresses that reach the server on this host.
_LOOPBACK: Final = {"": ("127.0.0.1", "::1"), "::": ("127.0.0.1", "::1"), "0.0.0.0": ("127.0.0.1",)}  # noqa: S104 - not bound here


def healthcheck(options: Options, run: Run) -> int:
    """Return 0 if the exporter on this host answers; print the address asked. Raises ConfigErrors.

    The certificate is not verified, as it is our own.
    """
    host, port = split_address(options.web.listen_addresses[0])
    tls = options.web.config_file is not None and _speaks_tls(options.web.config_file)
    failures = []
    for one in _LOOPBACK.get(host, (host,)):
        url = f"{'https' if tls else 'http'}://{f'[{one}]' if ':' in one else one}:{port}{options.web.prefix}{PATH}"
        try:
            status = _ask(one, port, f"{options.web.prefix}{PATH}", options.timeout, tls=tls)
        except OSError as error:
            failures.append(f"{url}: {error.strerror or error}")
            continue
        except http.client.HTTPException:
            failures.append(f"{url}: the answer is not HTTP")
            continue
        # 401: it is alive and asks for a password that we do not have.
        healthy = status in (http.HTTPStatus.OK, http.HTTPStatus.UNAUTHORIZED)
        asks = ANOTHER_PATH if status == http.HTTPStatus.NOT_FOUND else ""
        run.out.write(f"{'healthy' if healthy else 'unhealthy'}: {url}: HTTP {status}{asks}\n")
        return OK if healthy else FAILED
    run.out.write(f"unhealthy: {'; '.join(failures)}{NOBODY}\n")
    return FAILED


def _ask(host: str, port: int, path: str, timeout: float, *, tls: bool) -> int:
    connection: http.client.HTTPConnection
    if tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    with closing(connection):
        connection.request("GET", path)
        with connection.getresponse() as response:
            return response.status


def _speaks_tls(path: str) -> bool:
    from ami_exporter.webconfig.document import load_text, read_web_config  # noqa: PLC0415 - starting is faster where there is no such file

    return read_web_config(path, load_text(path)).tls is not None
