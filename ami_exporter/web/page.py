"""The status page (being built)."""

from http import HTTPStatus

from ami_exporter.web.http import Response, plain
from ami_exporter.web.service import StatusView


def status_page(view: StatusView, _telemetry: str) -> Response:
    """Draw the page."""
    return plain(HTTPStatus.OK, f"ami-exporter {view.exporter_version}")
