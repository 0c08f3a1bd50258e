"""List actions on endpoints, registrations, devices and spans. Fields and order as in Asterisk 22 (chan_sip: 16)."""

from __future__ import annotations

from .listing import Listing
from .scene import Scene
from .switch import EXTENSION_STATES
from .wire import AmiRequest, headers, item
from .world import Contact, Registration, SimulatedEndpoint

# The readable form that PJSIPShowEndpoints uses (main/devicestate.c, devstatestring).
HUMAN_STATES = {
    "NOT_INUSE": "Not in use",
    "INUSE": "In use",
    "UNAVAILABLE": "Unavailable",
    "RINGING": "Ringing",
    "RINGINUSE": "Ring+Inuse",
    "ONHOLD": "On Hold",
}
# A real server sends a password here too; readers must drop it.
FAKE_PASSWORD = "not-a-real-password"  # noqa: S105 - planted, so that tests can check where it must not appear


def device_state_list(scene: Scene, _request: AmiRequest) -> Listing:
    """DeviceStateList, including the pseudo devices of queues."""
    states = [(endpoint.device, endpoint.state) for endpoint in scene.world.endpoints]
    for queue in scene.world.queues:
        states.append((f"Queue:{queue.name}", "INUSE" if queue.waiting else "NOT_INUSE"))
        free = any(m.endpoint.free and not m.paused for m in queue.members)
        states.append((f"Queue:{queue.name}_avail", "NOT_INUSE" if free else "INUSE"))
    items = [item("DeviceStateChange", headers(("Device", d), ("State", s))) for d, s in states]
    return Listing("Device State Changes will follow", "DeviceStateListComplete", items)


def extension_state_list(scene: Scene, _request: AmiRequest) -> Listing:
    """ExtensionStateList: one hint per phone."""
    items = []
    for phone in scene.world.phones:
        number, text = EXTENSION_STATES[phone.state]
        body = headers(
            ("Exten", phone.name),
            ("Context", "from-internal"),
            ("Hint", phone.device),
            ("Status", number),
            ("StatusText", text),
        )
        items.append(item("ExtensionStatus", body))
    empty = "No dialplan hints are available"
    return Listing("Extension Statuses will follow", "ExtensionStateListComplete", items, empty=empty)


def pjsip_endpoints(scene: Scene, _request: AmiRequest) -> Listing:
    items = []
    for endpoint in _of("PJSIP", scene):
        contacts = "".join(f"{_contact_id(endpoint, contact)}," for contact in endpoint.bound)
        body = headers(
            ("ObjectType", "endpoint"),
            ("ObjectName", endpoint.name),
            ("Transport", "transport-udp"),
            ("Aor", endpoint.name),
            ("Auths", "" if endpoint.trunk else f"{endpoint.name}-auth"),
            ("OutboundAuths", f"{endpoint.name}-auth" if endpoint.trunk else ""),
            ("Contacts", contacts),
            ("DeviceState", HUMAN_STATES[endpoint.state]),
            ("ActiveChannels", len(endpoint.channels)),
        )
        items.append(item("EndpointList", body))
    message = "A listing of Endpoints follows, presented as EndpointList events"
    return Listing(message, "EndpointListComplete", items, empty="No endpoints found\n")


def pjsip_contacts(scene: Scene, _request: AmiRequest) -> Listing:
    items = [
        item("ContactList", _contact(scene, endpoint, contact))
        for endpoint in _of("PJSIP", scene)
        for contact in endpoint.bound
    ]
    message = "A listing of Contacts follows, presented as ContactList events"
    return Listing(message, "ContactListComplete", items, empty="No Contacts found\n")


def _contact(scene: Scene, endpoint: SimulatedEndpoint, contact: Contact) -> str:
    reachable = contact.status == "Reachable"
    host, _colon, port = contact.address.partition(":")
    return headers(
        ("ObjectType", "contact"),
        ("ObjectName", _contact_id(endpoint, contact).replace("/", ";@")),
        ("ViaAddr", host),
        ("QualifyTimeout", "3.000000"),
        ("CallId", ""),
        ("RegServer", ""),
        ("PruneOnBoot", "no"),
        ("Path", ""),
        ("SimulatedEndpoint", endpoint.name),
        ("ViaPort", port),
        ("AuthenticateQualify", "no"),
        ("Uri", _uri(endpoint, contact)),
        ("QualifyFrequency", 60),
        ("UserAgent", contact.user_agent),
        ("ExpirationTime", scene.world.unix(contact.expires) if contact.expires else 0),
        ("OutboundProxy", ""),
        ("Status", contact.status),
        ("RoundtripUsec", int(contact.rtt * 1e6) if reachable else "N/A"),
    )


def _uri(endpoint: SimulatedEndpoint, contact: Contact) -> str:
    return f"sip:{endpoint.name}@{contact.address}"


def _contact_id(endpoint: SimulatedEndpoint, contact: Contact) -> str:
    return f"{endpoint.name}/{_uri(endpoint, contact)}"


def pjsip_aors(scene: Scene, _request: AmiRequest) -> Listing:
    items = [
        item(
            "AorList",
            headers(
                ("ObjectType", "aor"),
                ("ObjectName", endpoint.name),
                ("MinimumExpiration", 60),
                ("DefaultExpiration", 3600),
                ("QualifyTimeout", "3.000000"),
                ("Mailboxes", ""),
                ("SupportPath", "false"),
                ("VoicemailExtension", ""),
                ("MaxContacts", 0 if endpoint.trunk else 2),
                ("AuthenticateQualify", "false"),
                ("Contacts", ",".join(_contact_id(endpoint, contact) for contact in endpoint.bound)),
                ("MaximumExpiration", 7200),
                ("QualifyFrequency", 60),
                ("RemoveExisting", "true"),
                ("OutboundProxy", ""),
            ),
        )
        for endpoint in _of("PJSIP", scene)
    ]
    message = "A listing of AORs follows, presented as AorList events"
    return Listing(message, "AorListComplete", items, empty="No AORs found\n")


def pjsip_maintenance(_scene: Scene, _request: AmiRequest) -> Listing:
    """PJSIPShowMaintenance: it lists only endpoints in maintenance mode, and there are none here."""
    return Listing("Maintenance status events follow", "PJSIPMaintenanceStatusComplete", [])


def _of(tech: str, scene: Scene) -> list[SimulatedEndpoint]:
    return [endpoint for endpoint in scene.world.endpoints if endpoint.tech == tech]


def pjsip_registrations(scene: Scene, _request: AmiRequest) -> Listing:
    """PJSIPShowRegistrationsOutbound; each registration is followed by its AuthDetail with a password in clear text."""
    registrations = [one for one in scene.world.registrations if one.tech == "PJSIP"]
    items = []
    for one in registrations:
        items.append(item("OutboundRegistrationDetail", _registration(one)))
        items.append(item("AuthDetail", _auth(one)))
    up = sum(one.status == "Registered" for one in registrations)
    return Listing(
        "Following are Events for each Outbound registration",
        "OutboundRegistrationDetailComplete",
        items,
        headers(("Registered", up), ("NotRegistered", len(registrations) - up)),
        reported=len(registrations),
    )


def _registration(one: Registration) -> str:
    return headers(
        ("ObjectType", "registration"),
        ("ObjectName", one.name),
        ("SupportPath", "false"),
        ("AuthRejectionPermanent", "false"),
        ("ServerUri", f"sip:{one.host}"),
        ("ClientUri", f"sip:{one.username}@{one.host}"),
        ("RetryInterval", 60),
        ("MaxRetries", 10000),
        ("OutboundProxy", ""),
        ("Transport", "transport-udp"),
        ("ContactUser", one.username),
        ("SimulatedEndpoint", one.name),
        ("Expiration", 3600),
        ("OutboundAuth", f"{one.name}-auth"),
        ("Status", one.status),
        ("NextReg", 0),  # always 0 on a real 22.10.1
    )


def _auth(one: Registration) -> str:
    return headers(
        ("ObjectType", "auth"),
        ("ObjectName", f"{one.name}-auth"),
        ("Password", FAKE_PASSWORD),
        ("Md5Cred", ""),
        ("Realm", ""),
        ("Username", one.username),
        ("NonceLifetime", 32),
        ("AuthType", "userpass"),
    )


def sip_peers(scene: Scene, _request: AmiRequest) -> Listing:
    """SIPpeers, as chan_sip of Asterisk 16 answers it."""
    items = []
    for peer in _of("SIP", scene):
        contact = peer.contacts[0]
        host, _colon, port = contact.address.partition(":")
        body = headers(
            ("Channeltype", "SIP"),
            ("ObjectName", peer.name),
            ("ChanObjectType", "peer"),
            ("IPaddress", host),
            ("IPport", port),
            ("Dynamic", "yes"),
            ("AutoForcerport", "no"),
            ("Forcerport", "yes"),
            ("AutoComedia", "no"),
            ("Comedia", "yes"),
            ("VideoSupport", "no"),
            ("TextSupport", "no"),
            ("ACL", "no"),
            ("Status", _peer_status(contact)),
            ("RealtimeDevice", "no"),
            ("Description", ""),
            ("Accountcode", ""),
        )
        items.append(item("PeerEntry", body))
    return Listing("Peer status list will follow", "PeerlistComplete", items)


def _peer_status(contact: Contact) -> str:
    return f"OK ({contact.rtt * 1000:.0f} ms)" if contact.status == "Reachable" else "UNREACHABLE"


def sip_registry(_scene: Scene, _request: AmiRequest) -> Listing:
    """SIPshowregistry: this PBX has no registrations over chan_sip."""
    return Listing("Registrations will follow", "RegistrationsComplete", [])


def iax_peers(scene: Scene, _request: AmiRequest) -> Listing:
    items = []
    for peer in _of("IAX2", scene):
        host, _colon, port = peer.contacts[0].address.partition(":")
        body = headers(
            ("Channeltype", "IAX"),
            ("ObjectName", peer.name),
            ("ChanObjectType", "peer"),
            ("IPaddress", host),
            ("Mask", "255.255.255.255"),
            ("Port", port),
            ("Dynamic", "no"),
            ("Trunk", "yes"),
            ("Encryption", "no"),
            ("Status", _peer_status(peer.contacts[0])),
        )
        items.append(item("PeerEntry", body))
    return Listing("IAX Peer status list will follow", "PeerlistComplete", items)


def iax_registry(scene: Scene, _request: AmiRequest) -> Listing:
    items = [
        item(
            "RegistryEntry",
            headers(
                ("Host", one.host),
                ("DNSmanager", "N"),
                ("Username", one.username),
                ("Perceived", "192.0.2.1:4569" if one.status == "Registered" else "<Unregistered>"),
                ("Refresh", 60),
                ("State", one.status),
            ),
        )
        for one in scene.world.registrations
        if one.tech == "IAX2"
    ]
    return Listing("Registrations will follow", "RegistrationsComplete", items)
