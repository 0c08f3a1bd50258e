"""Content negotiation (RFC 9110, with q-values): chooses the exposition format, and gzip or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ami_exporter.exposition.formats import Format

# (media type, version) -> format. Without a version, text is 0.0.4, the oldest, and OpenMetrics is 1.0.0, the only one
# we write. OpenMetrics 0.0.1 (obsolete) and 2.0 (different syntax) are skipped, so the next offer counts.
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

# Prometheus sends 5 media ranges and browsers up to 8; we ignore the rest of a longer list.
MAX_RANGES = 32
# Cached headers: a scraper always sends the same one.
MAX_REMEMBERED = 32


@dataclass(frozen=True, slots=True)
class _Range:
    value: str
    params: dict[str, str]
    q: float


@lru_cache(MAX_REMEMBERED)
def choose_format(accept: str) -> Format:
    """Return the supported format with the highest q-value, the first if tied; text 0.0.4 if none fits."""
    best, best_q = FALLBACK, 0.0
    for media in _ranges(accept):
        offer = OFFERS.get((media.value, media.params.get("version", "")))
        if offer is not None and media.q > best_q:
            best, best_q = offer, media.q
    return best


@lru_cache(MAX_REMEMBERED)
def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the client accepts gzip: named, or covered by `*`, with a q-value above zero."""
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
    """Parse a q-value; an invalid one counts as 0, so that it never beats a valid one."""
    digits = text.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()):
        return 0.0
    return min(float(text), 1.0)
