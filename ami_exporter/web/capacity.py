"""How many requests and connections there may be, by the number of targets; and the other limits of the server."""

import resource
from dataclasses import dataclass

# Requests answered at a time at least; the Prometheus of a fleet asks for all targets at once.
MIN_REQUESTS = 40
REQUESTS_PER_TARGET = 2
# Connections at least. Requests under way never fill more than half of them.
MIN_CONNECTIONS = 512
# Descriptors kept for others: two AMI connections a target, and files, log, listeners, libraries.
DESCRIPTORS_PER_TARGET = 2
OTHER_DESCRIPTORS = 100
# What thousands of targets need; the systemd unit asks for the same.
MANY_DESCRIPTORS = 65_536
# With few descriptors: enough connections for some scrapers and a person.
FEWEST_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Limits against slow and silent clients, in seconds where not said otherwise.

    `idle`: what a connection may take until a whole request is there; the TLS handshake gets as long.
    `send`: a reader slower than this loses the connection; Prometheus' own timeout is 10 s by default.
    `grace`: what requests under way get to end in when the server stops.
    `header_bytes`: a request line with all its headers.
    `connections`: how many; None follows the number of targets.
    """

    idle: float = 5.0
    send: float = 10.0
    grace: float = 3.0
    header_bytes: int = 16 * 1024
    connections: int | None = None


def raise_descriptor_limit() -> None:
    """Raise the soft limit of descriptors, as Go programs do: the usual 1,024 are for programs that use select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MANY_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def max_requests(targets: int) -> int:
    """Return how many requests are answered at a time."""
    return max(MIN_REQUESTS, REQUESTS_PER_TARGET * targets)


def max_connections(targets: int, requests: int, descriptors: int | None = None) -> int:
    """Return how many connections may be open beside so many requests at a time.

    `descriptors`: the process' limit, asked for when None.
    """
    if descriptors is None:
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(MIN_CONNECTIONS, 2 * requests)
    if descriptors == resource.RLIM_INFINITY:
        return wanted
    room = descriptors - DESCRIPTORS_PER_TARGET * targets - OTHER_DESCRIPTORS
    return max(FEWEST_CONNECTIONS, min(wanted, room))
