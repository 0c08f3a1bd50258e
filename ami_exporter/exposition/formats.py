"""The exposition formats we support; HTTP negotiates one, and the writer writes it."""

from enum import Enum


class Format(Enum):
    """An exposition format; the value is its exact Content-Type.

    Prometheus 3 fails a scrape with an unknown Content-Type, and its content negotiation document requires the escaping
    parameter for the 1.0.0 formats. All our names use the legacy character set, so every escaping scheme leaves them
    unchanged: `underscores`, which every reader knows, is always correct.
    """

    TEXT_004 = "text/plain; version=0.0.4; charset=utf-8"
    TEXT_100 = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
    OPENMETRICS_100 = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"

    @property
    def content_type(self) -> str:
        """The Content-Type header for a body in this format."""
        return self.value
