"""Computes how long a scrape may take, from Prometheus' header and the target's own timeout."""

from __future__ import annotations

import math

#: Subtracted from Prometheus' timeout, to leave time for transfer and parsing.
MARGIN_SECONDS = 0.5
#: For timeouts up to this, the margin would leave too little, so half of the timeout is used.
SHORT_HEADER_SECONDS = 1.0


def scrape_seconds(header: str | None, timeout: float) -> float:
    """Seconds for a scrape: X-Prometheus-Scrape-Timeout-Seconds minus the margin, or `timeout` if that is shorter.

    Without a valid header, only `timeout` counts.
    """
    try:
        asked = float(header) if header is not None else math.nan
    except ValueError:
        asked = math.nan
    if not math.isfinite(asked) or asked <= 0:
        return timeout
    return min(timeout, asked / 2 if asked <= SHORT_HEADER_SECONDS else asked - MARGIN_SECONDS)
