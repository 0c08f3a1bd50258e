"""The server's limits; those on requests and connections grow with the number of targets."""

import resource
from dataclasses import dataclass

# Answer at least this many requests at a time: Prometheus may scrape all targets of a fleet at once.
MIN_REQUESTS = 40
REQUESTS_PER_TARGET = 2
# Allow at least this many connections. Running requests never use more than half of them.
MIN_CONNECTIONS = 512
# Descriptors reserved for everything else: two AMI connections per target; files, log, listeners, libraries.
DESCRIPTORS_PER_TARGET = 2
OTHER_DESCRIPTORS = 100
# Enough for thousands of targets; the systemd unit sets the same.
MANY_DESCRIPTORS = 65_536
# The minimum when descriptors are scarce: enough for a few scrapers and a person.
FEWEST_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Limits that protect against slow and silent clients; times are in seconds.

    `idle`: time for a client to send a whole request, and for the TLS handshake.
    `send`: time for a client to read the response; Prometheus' own timeout is 10 s by default.
    `grace`: time for running requests to finish when the server stops.
    `header_bytes`: maximum size of the request line and headers.
    `connections`: maximum number; None derives it from the number of targets.
    """

    idle: float = 5.0
    send: float = 10.0
    grace: float = 3.0
    header_bytes: int = 16 * 1024
    connections: int | None = None


def raise_descriptor_limit() -> None:
    """Raise the soft descriptor limit, as Go programs do; the usual 1,024 only protects programs that use select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MANY_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def max_requests(targets: int) -> int:
    return max(MIN_REQUESTS, REQUESTS_PER_TARGET * targets)


def max_connections(targets: int, requests: int, descriptors: int | None = None) -> int:
    """Return how many connections may be open, given the maximum number of concurrent `requests`.

    `descriptors`: the process' limit; None means ask the system.
    """
    if descriptors is None:
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(MIN_CONNECTIONS, 2 * requests)
    if descriptors == resource.RLIM_INFINITY:
        return wanted
    room = descriptors - DESCRIPTORS_PER_TARGET * targets - OTHER_DESCRIPTORS
    return max(FEWEST_CONNECTIONS, min(wanted, room))
