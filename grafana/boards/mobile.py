"""The endpoint board's row of GSM and 3G sticks: in the network or not, how well they hear it, text messages."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Row
from grafana.model import Query
from grafana.panels import Series
from grafana.ranking import down, most
from grafana.selection import clicked
from grafana.table import Column, Table

NONE = "No stick is known"
KEYS = "instance, technology, device"
STATES = {
    "registered": ("registered", c.GOOD),
    "roaming": ("roaming", c.GOOD),
    "searching": ("searching", c.WARN),
    "not_registered": ("not registered", c.BAD),
    "denied": ("denied", c.BAD),
    "not_connected": ("not connected", c.BAD),
    "not_initialized": ("not initialized", c.BAD),
    "stopped": ("stopped", c.DIM),
    "unknown": ("unknown", c.DIM),
    "other": ("other", c.DIM),
}


def of_an_hour(what: str, more: str = "") -> str:
    """Text messages of an hour, of sticks that their PBX lists now: of a PBX that is down counters remain."""
    counted = f"increase(asterisk_mobile_sms_{what}_total{{@{more}}}[1h])"
    return f"sum by ({KEYS}) ({counted} and on (job, instance, technology, device) asterisk_mobile_calls{{@}})"


MOBILE = Row(
    title="GSM and 3G sticks",
    folded=True,
    panels=(
        Table(
            title="Each stick",
            description="""State, the signal it receives (below -100 dBm is weak), calls on it now, and text messages of
                an hour: received, sent, and refused by the network.""",
            nothing=NONE,
            keys={"instance": "PBX", "device": "Stick", "technology": "Driver", "state": "State"},
            links={"instance": clicked("asterisk-pbx", "instance")},
            words={"state": STATES},
            widths={"technology": 100, "state": 130},
            sort=("Registered", False),
            columns=(
                Column(title="Now", expr=f"max by ({KEYS}, state) (asterisk_mobile_state{{@}} == 1)", hidden=True),
                Column(
                    title="Registered",
                    expr=f"min by ({KEYS}) (asterisk_mobile_registered{{@}})",
                    values=c.YES_NO,
                    width=104,
                ),
                Column(
                    title="Signal",
                    expr=f"max by ({KEYS}) (asterisk_mobile_signal_dbm{{@}})",
                    unit="dBm",
                    decimals=0,
                    thresholds=c.Steps(c.BAD, ((-105, c.WARN), (-99, c.GOOD))),
                    width=84,
                ),
                Column(title="Calls", expr=f"sum by ({KEYS}) (asterisk_mobile_calls{{@}})", width=64),
                Column(
                    title="Received",
                    expr=of_an_hour("received"),
                    decimals=0,
                    width=84,
                ),
                Column(
                    title="Sent",
                    expr=of_an_hour("sent", ', result="success"'),
                    decimals=0,
                    width=64,
                ),
                Column(
                    title="Refused",
                    expr=of_an_hour("sent", ', result="failure"'),
                    decimals=0,
                    thresholds=c.Steps("text", ((1, c.BAD),)),
                    width=78,
                ),
            ),
            height=7,
        ),
        Series(
            title="Signal of the ten weakest",
            description="What sticks receive, of the ten that receive least now: -51 dBm is strong, -113 is nothing.",
            nothing=NONE,
            queries=(
                Query(
                    expr=most(f"max by ({KEYS}) (asterisk_mobile_signal_dbm{{@}})", how="bottomk"),
                    legend="{{device}} · {{instance}}",
                ),
            ),
            unit="dBm",
            decimals=0,
            minimum=None,
            legend="right",
            width=12,
        ),
        Series(
            title="Sticks without network",
            description="""How many sticks were in no mobile network when. Point at a column for their names; the table
                above tells who is in none now.""",
            nothing="No stick without network is known",
            queries=(
                Query(
                    expr=f"count by (instance, device) ({down('asterisk_mobile_registered{@}')})",
                    legend="{{device}} · {{instance}}",
                ),
            ),
            faults=True,
            bars=True,
            decimals=0,
            legend="",
            width=12,
        ),
    ),
)
