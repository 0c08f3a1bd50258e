"""The exposition formats we write: a closed set, shared by HTTP (who chooses) and the writer (who writes)."""

from enum import Enum


class Format(Enum):
    """An exposition format; the value is its exact Content-Type.

    Prometheus 3 fails a scrape whose Content-Type it does not know, and its content negotiation document
    wants the escaping parameter on the 1.0.0 formats. All our names are in the legacy character set, so they
    read the same under every escaping scheme: `underscores`, the one every reader knows, is always true.
    """

    TEXT_004 = "text/plain; version=0.0.4; charset=utf-8"
    TEXT_100 = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
    OPENMETRICS_100 = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"

    @property
    def content_type(self) -> str:
        """The Content-Type header for a body in this format."""
        return self.value
