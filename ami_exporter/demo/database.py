"""Asterisk's own database as FreePBX fills it, and DBGetTree (main/db.c): without a family it lists everything."""

from __future__ import annotations

from .listing import Listing
from .scene import Scene
from .wire import AmiRequest, headers, item
from .world import World

# Planted for tests: a forwarding number, and a secret outside the families that metrics use.
FORWARDED_TO, SECRET = "+12025550199", "not-a-real-secret"


def furnish(world: World) -> None:
    """Store day mode, a time condition, two people with do not disturb, and one with forwarding."""
    world.database = {
        "/CF/1004": FORWARDED_TO,
        "/DAYNIGHT/C0": "DAY",
        "/DAYNIGHT/C1": "NIGHT",
        "/DND/1002": "YES",
        "/DND/1007": "YES",
        "/dundi/secret": SECRET,
    }


def tree(scene: Scene, request: AmiRequest) -> Listing:
    """DBGetTree: keys that begin with the family, in order."""
    family = request.get("Family")
    entries = sorted(scene.world.database.items())
    wanted = [(key, value) for key, value in entries if not family or key.startswith(f"/{family}/")]
    items = [item("DBGetTreeResponse", headers(("Key", key), ("Val", val)), id_first=False) for key, val in wanted]
    return Listing("Result will follow", "DBGetTreeComplete", items)
