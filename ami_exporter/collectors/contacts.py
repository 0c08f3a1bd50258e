"""PJSIP contacts, registered and configured ones."""

from __future__ import annotations

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Rule, counter, gauge
from ami_exporter.collectors.fields import OTHER, labels, number, technology, text, word
from ami_exporter.collectors.lists import AORS, CONTACTS, INBOUND_CONTACTS, contact_status
from ami_exporter.collectors.sent import known_from
from ami_exporter.collectors.useragents import user_agent

STATUSES = ("reachable", "unreachable", "unknown", "non_qualified", "removed")

# res/res_pjsip/pjsip_options.c; Asterisk 13 says Created where later ones say NonQualified.
STATUS = {
    "reachable": "reachable",
    "unreachable": "unreachable",
    "unknown": "unknown",
    "nonqualified": "non_qualified",
    "created": "non_qualified",
    "removed": "removed",
}

_PEER_STATUSES = ("registered", "unregistered", "reachable", "unreachable", "lagged", "rejected", "unknown")

CONTACT_COUNT = gauge(
    "asterisk_contacts",
    "Registered PJSIP contacts by status (permanent ones are not in that list); non_qualified are never qualified "
    "(qualify_frequency=0), which is not a fault (AMI PJSIPShowContacts: Status)",
    "status",
    closed={"status": STATUSES},
)
AOR_CONTACTS = gauge(
    "asterisk_aor_contacts", "Contacts bound to the address of record (AMI PJSIPShowAors: Contacts)", "aor"
)
AOR_LIMIT = gauge(
    "asterisk_aor_contacts_limit",
    "max_contacts of the address of record; absent when nothing may register (AMI PJSIPShowAors: MaxContacts)",
    "aor",
)
USER_AGENTS = gauge(
    "asterisk_user_agent_contacts",
    "Contacts by family of user agent, out of a list of known ones; anything else is `other` "
    "(AMI PJSIPShowContacts: UserAgent)",
    "user_agent",
)
CONTACT_CHANGES = counter(
    "asterisk_contact_changes_total",
    "Changes of a PJSIP contact's status (AMI event ContactStatus: ContactStatus)",
    "status",
    closed={"status": (*STATUSES, OTHER)},
    sent=known_from((13,)),
)
PEER_CHANGES = counter(
    "asterisk_peer_changes_total",
    "Changes of a peer's status; PJSIP reports only reachable and unreachable (AMI event PeerStatus: PeerStatus)",
    "technology",
    "status",
    closed={"status": (*_PEER_STATUSES, OTHER)},
)


def _user_agent(message: Message, _context: Context) -> str | None:
    written = message.get("useragent")
    return user_agent(written) if written else None


def _status(message: Message, _context: Context) -> str | None:
    return STATUS.get(contact_status(message), "unknown") if "status" in message else None


def _bound(message: Message) -> float:
    """Contacts is a comma-separated list of aor/uri; a URI may contain commas."""
    return float(f",{message.get('contacts', '')}".count(f",{message.get('objectname', '')}/"))


def _contact_rows(action: Action, item: str) -> tuple[Rule, Rule]:
    return (
        Rule(CONTACT_COUNT, action, (item,), labels(_status)),
        Rule(USER_AGENTS, action, (item,), labels(_user_agent)),
    )


COLLECTOR = Collector(
    name="contacts",
    title="PJSIP contacts, addresses of record, user agents",
    metrics=(CONTACT_COUNT, AOR_CONTACTS, AOR_LIMIT, USER_AGENTS, CONTACT_CHANGES, PEER_CHANGES),
    polls=((CONTACTS, INBOUND_CONTACTS), (AORS,)),
    rules=(
        *_contact_rows(CONTACTS, "ContactList"),
        *_contact_rows(INBOUND_CONTACTS, "ContactStatusDetail"),
        Rule(AOR_CONTACTS, AORS, ("AorList",), labels(text("ObjectName")), _bound, reduce="last"),
        Rule(
            AOR_LIMIT, AORS, ("AorList",), labels(text("ObjectName")), number("MaxContacts", minimum=1), reduce="last"
        ),
        Rule(CONTACT_CHANGES, None, ("ContactStatus",), labels(word("ContactStatus", STATUS))),
        Rule(
            PEER_CHANGES,
            None,
            ("PeerStatus",),
            labels(technology("ChannelType"), word("PeerStatus", {name: name for name in _PEER_STATUSES})),
        ),
    ),
    filter_label="aor",
)
