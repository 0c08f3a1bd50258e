"""Content negotiation (RFC 9110, with q-values): which exposition format, and whether gzip."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ami_exporter.exposition.formats import Format

# (media type, version) -> format. An absent version is the oldest text format, and the one OpenMetrics we
# speak. OpenMetrics 0.0.1 differs in details nobody needs any more, and 2.0 in syntax: both fall through to
# the next offer.
OFFERS: dict[tuple[str, str], Format] = {
    ("application/openmetrics-text", "1.0.0"): Format.OPENMETRICS_100,
    ("application/openmetrics-text", ""): Format.OPENMETRICS_100,
    ("text/plain", "1.0.0"): Format.TEXT_100,
    ("text/plain", "0.0.4"): Format.TEXT_004,
    ("text/plain", ""): Format.TEXT_004,
    ("text/*", ""): Format.TEXT_004,
    ("*/*", ""): Format.TEXT_004,
}

FALLBACK = Format.TEXT_004

# Prometheus sends 5 media ranges and browsers up to 8; more is noise that we need not sort.
MAX_RANGES = 32
# A scraper sends the same header each time.
MAX_REMEMBERED = 32


@dataclass(frozen=True, slots=True)
class _Range:
    value: str
    params: dict[str, str]
    q: float


@lru_cache(MAX_REMEMBERED)
def choose_format(accept: str) -> Format:
    """Return the format we offer with the highest q-value, the first of equals; text 0.0.4 if none fits."""
    best, best_q = FALLBACK, 0.0
    for media in _ranges(accept):
        offer = OFFERS.get((media.value, media.params.get("version", "")))
        if offer is not None and media.q > best_q:
            best, best_q = offer, media.q
    return best


@lru_cache(MAX_REMEMBERED)
def accepts_gzip(accept_encoding: str) -> bool:
    """Say whether gzip is welcome: named, or covered by `*`, with a q-value above zero."""
    q = {coding.value: coding.q for coding in _ranges(accept_encoding)}
    return q.get("gzip", q.get("*", 0.0)) > 0.0


def _ranges(header: str) -> Iterator[_Range]:
    for item in header.split(",", MAX_RANGES)[:MAX_RANGES]:
        value, *raw = (part.strip() for part in item.split(";"))
        params = {}
        for part in raw:
            name, _, text = part.partition("=")
            params[name.strip().lower()] = text.strip().strip('"')
        if value:
            yield _Range(value.lower(), params, _quality(params.get("q", "1")))


def _quality(text: str) -> float:
    """Read a q-value; a garbled one counts as 0: a broken offer is never preferred to a sound one."""
    digits = text.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()):
        return 0.0
    return min(float(text), 1.0)
