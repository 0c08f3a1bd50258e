"""The boards, one file each, in the order people need them."""

from grafana.board import Board
from grafana.boards.agents import AGENTS
from grafana.boards.endpoints import ENDPOINTS
from grafana.boards.exporter import EXPORTER
from grafana.boards.fleet import FLEET
from grafana.boards.media import MEDIA_QUALITY
from grafana.boards.overview import OVERVIEW
from grafana.boards.queues import QUEUES
from grafana.boards.security import SECURITY
from grafana.boards.tenants import TENANTS
from grafana.boards.trunks import TRUNKS

BOARDS: tuple[Board, ...] = (
    FLEET,
    OVERVIEW,
    TRUNKS,
    QUEUES,
    AGENTS,
    MEDIA_QUALITY,
    ENDPOINTS,
    SECURITY,
    TENANTS,
    EXPORTER,
)
