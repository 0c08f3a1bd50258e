"""Everything besides calls: phones come and go, registrations are renewed, people pause; alarms, reloads, attacks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from .callcentre import QUEUE_PLANS
from .dice import Dice
from .engine import Process
from .queueing import QueueDesk
from .switch import Switch
from .wire import headers
from .world import Contact, Mailbox, Member, Registration, SimulatedEndpoint, Span

PAUSE_REASONS = ("Lunch", "Break", "Training", "Meeting", "Back office")
# Mean seconds between two such events, and their durations.
EVERY = {
    "pause": 70.0,
    "phone": 60.0,
    "registration": 50.0,
    "outage": 600.0,
    "reload": 420.0,
    "alarm": 500.0,
    "attack": 240.0,
    "knock": 25.0,
    "listen": 60.0,
    "shift": 240.0,
}
LASTS = {"pause": 240.0, "phone": 45.0, "outage": 60.0, "alarm": 60.0, "shift": 300.0}
MODULES = ("All", "chan_pjsip", "app_queue", "res_parking", "cdr")
# Login attempts of attackers: service and event.
ATTACKS = (
    ("PJSIP", "InvalidAccountID"),
    ("PJSIP", "ChallengeResponseFailed"),
    ("IAX2", "InvalidAccountID"),
    ("SIP", "InvalidPassword"),
    ("AMI", "InvalidPassword"),
)
ERRORS = frozenset(
    {"InvalidAccountID", "InvalidPassword", "ChallengeResponseFailed", "RequestNotAllowed", "RequestBadFormat"}
)


class Life:
    """Starts the processes around the calls."""

    def __init__(self, switch: Switch, dice: Dice, desk: QueueDesk) -> None:
        self.switch, self.dice, self.desk = switch, dice, desk
        self.world = switch.world

    def begin(self) -> None:
        """Spawn everything."""
        for name, act in (
            ("pause", self._pause),
            ("phone", self._phone),
            ("outage", self._outage),
            ("reload", self._reload),
            ("alarm", self._alarm),
            ("attack", self._attack),
            ("knock", self._knock),
            ("listen", self._listen),
            ("shift", self._shift),
        ):
            self.switch.time.spawn(self._now_and_then(EVERY[name], act))
        for registration in self.world.registrations:
            self.switch.time.spawn(self._renew(registration))

    def _now_and_then(self, mean: float, act: Callable[[], Process]) -> Process:
        while True:
            yield self.dice.expo(mean)
            self.switch.time.spawn(act())

    def _pause(self) -> Process:
        """A member pauses in all its queues, or one that was paused for not answering comes back."""
        members = [member for queue in self.world.queues for member in queue.members]
        resting = [member for member in members if member.reason == "Auto-Pause"]
        for member in resting:
            self.desk.pause(member, "")
        ready = [member for member in members if not member.paused and member.endpoint.free]
        if not ready:
            return
        everywhere = list(self.dice.pick(ready).endpoint.memberships)
        reason = self.dice.pick(PAUSE_REASONS)
        for member in everywhere:
            self.desk.pause(member, reason)
        yield self.dice.around(LASTS["pause"], at_least=30.0)
        for member in everywhere:
            self.desk.pause(member, "")

    def _shift(self) -> Process:
        """A dynamic member logs out and returns later."""
        dynamic = [m for queue in self.world.queues for m in queue.members if m.membership == "dynamic"]
        leaving = [m for m in dynamic if m.endpoint.free and len(m.queue.members) > QUEUE_PLANS[1].staff[1] // 2]
        if not leaving:
            return
        member: Member = self.dice.pick(leaving)
        self.desk.remove(member)
        yield self.dice.around(LASTS["shift"])
        self.desk.add(member)

    def _phone(self) -> Process:
        """A phone loses its network, then registers again."""
        idle = [phone for phone in self.world.phones if phone.free]
        if not idle:
            return
        phone = self.dice.pick(idle)
        gone = phone.contacts[0]
        self._contact(phone, gone, "Unreachable")
        yield self.dice.around(LASTS["phone"], at_least=5.0)
        self._contact(phone, gone, "Removed")
        yield self.dice.expo(LASTS["phone"])
        host, _colon, _port = gone.address.partition(":")
        port = 5060 + self.dice.pick(range(900))
        fresh = Contact(f"{host}:{port}", "NonQualified", gone.rtt, self.switch.time.now + 3600.0, gone.user_agent)
        phone.contacts[0] = fresh
        self._contact(phone, fresh, "NonQualified")
        yield 0.3
        self._contact(phone, fresh, "Reachable")

    def _contact(self, phone: SimulatedEndpoint, contact: Contact, status: str) -> None:
        """Change a contact's status, and the peer's status if the contact becomes reachable or stops being so."""
        was, contact.status = contact.status, status
        if phone.tech == "PJSIP":
            rtt = int(contact.rtt * 1e6) if status == "Reachable" else 0
            uri = ("URI", f"sip:{phone.name}@{contact.address}"), ("ContactStatus", status)
            names = ("AOR", phone.name), ("EndpointName", phone.name)
            self.switch.tell("ContactStatus", "system", headers(*uri, *names, ("RoundtripUsec", rtt)))
        if "Reachable" in {was, status}:
            peer = ("ChannelType", phone.tech), ("Peer", phone.device)
            word = "Reachable" if status == "Reachable" else "Unreachable"
            body = headers(
                *peer, ("PeerStatus", word), *((("Time", int(contact.rtt * 1000)),) if word == "Reachable" else ())
            )
            self.switch.tell("PeerStatus", "system", body)
        self.switch.device_changed(phone)

    def _renew(self, one: Registration) -> Process:
        """Keep renewing an outbound registration; each renewal is a Registry event."""
        while True:
            yield self.dice.between(0.8, 1.2) * EVERY["registration"]
            if one.status == "Registered":
                self._tell_registry(one)

    def _outage(self) -> Process:
        """A provider refuses registrations for a while."""
        one = self.dice.pick(self.world.registrations[1:])
        if one.status != "Registered":
            return
        for status in ("Unregistered", "Rejected", "Registered"):
            one.status = status
            self._tell_registry(one)
            yield self.dice.around(LASTS["outage"] / 2, at_least=5.0)

    def _tell_registry(self, one: Registration) -> None:
        pjsip = one.tech == "PJSIP"
        username, domain = (f"sip:{one.username}@{one.host}", f"sip:{one.host}") if pjsip else (one.username, one.host)
        who = ("ChannelType", one.tech), ("Username", username), ("Domain", domain)
        self.switch.tell("Registry", "system", headers(*who, ("Status", one.status)))

    def _reload(self) -> Process:
        """Somebody reloads the configuration; it rarely fails."""
        self.world.reloaded = self.switch.time.now
        status = 0 if self.dice.chance(0.95) else 3
        self.switch.tell("Reload", "system", headers(("Module", self.dice.pick(MODULES)), ("Status", status)))
        yield 0.0

    def _alarm(self) -> Process:
        """The second span loses its signal."""
        span: Span = self.world.spans[-1]
        if span.alarm:
            return
        span.alarm = self.dice.pick(("Red Alarm", "Yellow Alarm"))
        self.switch.tell("SpanAlarm", "system", headers(("Span", span.number), ("Alarm", span.alarm)))
        yield self.dice.around(LASTS["alarm"], at_least=10.0)
        span.alarm = ""
        self.switch.tell("SpanAlarmClear", "system", headers(("Span", span.number)))

    def _attack(self) -> Process:
        """A scanner tries a dozen passwords or names."""
        service, name = self.dice.pick(ATTACKS)
        for _attempt in range(self.dice.pick(range(4, 20))):
            account = str(self.dice.pick(range(100, 2000)))
            self.security(name, service, account)
            yield self.dice.expo(1.5)

    def _knock(self) -> Process:
        """A phone registers: a challenge and a success, both normal."""
        account = self.dice.pick(self.world.phones).name if self.world.phones else "none"
        self.security("ChallengeSent", "PJSIP", account)
        yield 0.05
        self.security("SuccessfulAuth", "PJSIP", account)

    def security(self, name: str, service: str, account: str, extra: dict[str, str] | None = None) -> None:
        """Send a security event (main/security_events.c); addresses are made up unless ``extra`` has them."""
        now = dt.datetime.fromtimestamp(self.switch.world.unix(self.switch.time.now), dt.UTC)
        fields = {
            "EventTV": now.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "Severity": "Error" if name in ERRORS else "Informational",
            "Service": service,
            "EventVersion": "1",
            "AccountID": account,
            "SessionID": "0x7f0000000001",
            "LocalAddress": "IPV4/UDP/192.0.2.1/5060",
            "RemoteAddress": "IPV4/UDP/203.0.113.66/5066",
        }
        body = headers(*(fields | dict(self._proof(name)) | (extra or {})).items())
        self.switch.tell(name, "security", body)

    def _proof(self, name: str) -> tuple[tuple[str, str], ...]:
        if name == "ChallengeSent":
            return (("Challenge", "made-up"),)
        if name == "ChallengeResponseFailed":
            # Response is a header of this event: a reader that looks for Response first takes it for an answer.
            return (
                ("Challenge", "made-up"),
                ("Response", f"{self.dice.bits(128):032x}"),
                ("ExpectedResponse", "made-up"),
            )
        if name == "SuccessfulAuth":
            return (("UsingPassword", "1"),)
        return ()

    def _listen(self) -> Process:
        """Somebody listens to the messages of a mailbox."""
        full = [box for box in self.world.mailboxes if box.new]
        if full:
            box: Mailbox = self.dice.pick(full)
            box.old, box.new = min(99, box.old + box.new), 0
            self.switch.message_waiting(box)
        yield 0.0
