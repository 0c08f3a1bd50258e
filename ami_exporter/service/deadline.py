"""How long a scrape may take, from Prometheus' header and the target's own timeout."""

from __future__ import annotations

import math

#: What Prometheus' header leaves for the way back and the parsing.
MARGIN_SECONDS = 0.5
#: At or below this a margin of half a second would leave next to nothing: half of the header is taken.
SHORT_HEADER_SECONDS = 1.0


def scrape_seconds(header: str | None, timeout: float) -> float:
    """Seconds for a scrape: X-Prometheus-Scrape-Timeout-Seconds less the margin, or the timeout where smaller.

    A missing or garbled header means the timeout alone.
    """
    try:
        asked = float(header) if header is not None else math.nan
    except ValueError:
        asked = math.nan
    if not math.isfinite(asked) or asked <= 0:
        return timeout
    return min(timeout, asked / 2 if asked <= SHORT_HEADER_SECONDS else asked - MARGIN_SECONDS)
