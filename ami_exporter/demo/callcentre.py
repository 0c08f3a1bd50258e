"""The made-up company whose PBX is simulated: its trunks, phones, queues and people."""

from __future__ import annotations

from dataclasses import dataclass

from . import database, sticks
from .dice import Dice
from .world import (
    Agent,
    Contact,
    Mailbox,
    Media,
    Member,
    ParkingLot,
    Party,
    Queue,
    Registration,
    SimulatedEndpoint,
    Span,
    World,
)

FIRST_NAMES = (
    "Ada",
    "Ben",
    "Carla",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Lev",
)
LAST_NAMES = (
    "Abel",
    "Brandt",
    "Costa",
    "Dorn",
    "Egger",
    "Fuchs",
    "Gross",
    "Haas",
    "Ivanov",
    "Jansen",
    "Keller",
)
# Share of phones by model: the user agent that the phone sends, and the codec it prefers.
PHONE_MODELS = (
    ("Yealink SIP-T46U 108.86.0.90", "g722"),
    ("Yealink SIP-T33G 124.86.0.75", "alaw"),
    ("snomD785/10.1.175.16", "g722"),
    ("Grandstream GXP2170 1.0.11.84", "alaw"),
    ("Zoiper rv2.10.20.5", "opus"),
    ("Fanvil X4U 2.12.19", "alaw"),
)
FIRST_EXTENSION, FIRST_LEGACY_EXTENSION = 1001, 9001


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """The settings and traffic of a queue: rates per second, durations in seconds."""

    name: str
    strategy: str
    staff: tuple[int, int]  # first phone and number of members
    arrivals: float  # calls per second
    talk: float
    patience: float
    timeout: float
    service_level: int
    limit: int = 0
    dynamic: bool = False


# A busy, a healthy and a small queue (its name is a number, as on many PBXs), and one for emergencies after hours with
# few members. Phones listed twice are members of two queues.
QUEUE_PLANS = (
    QueuePlan("support", "rrmemory", (0, 12), 0.05, 115, 75, 120, 20, limit=40),
    QueuePlan("sales", "ringall", (12, 9), 0.032, 95, 45, 90, 15, dynamic=True),
    QueuePlan("6003", "leastrecent", (20, 6), 0.016, 80, 60, 150, 30, limit=20),
    QueuePlan("emergency", "linear", (10, 3), 0.006, 60, 90, 60, 10),
)
EXTRA_QUEUE_MEMBERS = 3
# When dynamic members logged in, in seconds before the start.
BEGAN_WORK = -5400.0
# Names of dialled numbers whose queue has only a number.
DID_NAMES = {"6003": "Service"}


# The account codes of phones: one per company that shares the PBX.
ACCOUNTS = ("acme", "globex", "initech")


def build(world: World, dice: Dice, endpoints: int, queues: int, sip: str = "PJSIP") -> None:
    """Fill the world with ``endpoints`` endpoints (trunks included) of the driver ``sip``, and ``queues`` queues."""
    _trunks(world, sip)
    sip_trunks = sum(trunk.tech == sip for trunk in world.trunks)
    world.phones = [_phone(number, dice, sip) for number in range(max(0, endpoints - sip_trunks))]
    world.phones += [_legacy_phone(number) for number in range(3)]
    world.queues = [_queue(world, place, dice) for place in range(queues)]
    world.lots = [ParkingLot("default", 701, 720, 60), ParkingLot("reception", 801, 805, 45)]
    world.mailboxes = [
        Mailbox(phone.name, phone.party.name, dice.pick((0, 0, 0, 1, 2)), dice.bits(3)) for phone in world.phones[:20]
    ]
    world.agents = [Agent(str(1001 + number), person(number + 40).name) for number in range(6)]
    world.spans = [Span(1), Span(2)]
    sticks.furnish(world)
    database.furnish(world)


def person(number: int, extension: str = "") -> Party:
    """A person; the same number always gets the same name."""
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    return Party(extension, f"{first} {LAST_NAMES[number * 7 % len(LAST_NAMES)]}")


def _trunks(world: World, sip: str) -> None:
    """Two carriers, and a line to a branch office whose name is a number."""
    plans = (
        (sip, "telco-a", "alaw", "telco-a", Media(0.0004, 0.002, 0.018, 0.01)),
        (sip, "telco-b", "alaw", "telco-b", Media(0.004, 0.009, 0.055, 0.08)),
        ("IAX2", "4940", "ulaw", "4940", Media(0.001, 0.004, 0.035)),
    )
    for number, (tech, name, codec, registration, media) in enumerate(plans):
        address = f"198.51.100.{10 + number}:{4569 if tech == 'IAX2' else 5060}"
        trunk = SimulatedEndpoint(tech, name, Party("", name), codec, "", True, registration, media)
        trunk.contacts = [Contact(address, rtt=media.rtt)]
        world.trunks.append(trunk)
        world.registrations.append(Registration(tech, registration, "demo", f"{name}.example.net"))


def _phone(number: int, dice: Dice, sip: str) -> SimulatedEndpoint:
    extension = str(FIRST_EXTENSION + number)
    agent, codec = PHONE_MODELS[number * 5 % len(PHONE_MODELS)]
    # Every sixth person works from home: the round trip is longer, and sometimes the line is bad.
    home = (number + 1) % 6 == 0
    media = Media(0.006, 0.014, 0.048) if home else Media(0.0002, 0.0015, 0.004)
    phone = SimulatedEndpoint(sip, extension, person(number, extension), codec, agent, media=media)
    phone.account = ACCOUNTS[number % len(ACCOUNTS)]
    network = "203.0.113" if home else "192.0.2"
    rtt = media.rtt * dice.between(0.6, 1.6)
    phone.contacts = [Contact(f"{network}.{10 + number % 240}:5060", "Reachable", rtt, 3600.0, agent)]
    return phone


def _legacy_phone(number: int) -> SimulatedEndpoint:
    extension = str(FIRST_LEGACY_EXTENSION + number)
    phone = SimulatedEndpoint(
        "SIP", extension, Party(extension, f"Workshop {number + 1}"), "alaw", "Cisco SPA303-7.6.2"
    )
    phone.contacts = [Contact(f"192.0.2.{250 + number}:5060", "Reachable", 0.006, 0.0, phone.user_agent)]
    return phone


def _queue(world: World, place: int, dice: Dice) -> Queue:
    phones = [phone for phone in world.phones if phone.account]  # not the phones of the workshop
    if place < len(QUEUE_PLANS):
        plan = QUEUE_PLANS[place]
        queue = Queue(plan.name, plan.strategy, plan.limit, plan.service_level)
        first, count = plan.staff
        membership = "dynamic" if plan.dynamic else "static"
    else:
        queue = Queue(f"queue-{place + 1}")
        first, count, membership = dice.pick(range(max(1, len(phones)))), EXTRA_QUEUE_MEMBERS, "static"
    for phone in (phones * 2)[first : first + count][: len(phones)]:
        since = world.booted if membership == "static" else BEGAN_WORK * world.speed
        member = Member(queue, phone, phone.party.name, membership, login=since)
        queue.members.append(member)
        phone.memberships.append(member)
    return queue
