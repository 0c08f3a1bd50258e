"""From answers to findings: what is missing, what would fix it, what is no fault."""

from __future__ import annotations

import pytest

from ami_exporter.ami.actions import ACTIONS, Action
from ami_exporter.ami.link import Answer, Outcome
from ami_exporter.ami.rights import held_classes, least_dangerous
from ami_exporter.collectors.declarations import Collector, Rule, counter
from ami_exporter.commands.doctor.advice import Diagnosis, diagnose, subject
from ami_exporter.commands.doctor.examine import Examination, Listened
from ami_exporter.commands.doctor.findings import State, finding
from ami_exporter.commands.doctor.userblock import user_block
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.lacking import lacking
from ami_exporter.pbx.plan import EnabledCollector

ENDPOINTS, DEVICES = Action("PJSIPShowEndpoints"), Action("DeviceStateList")
SIP, AGENTS, QUEUES = Action("SIPpeers"), Action("Agents"), Action("QueueStatus")

WORKS = Answer(Outcome.COMPLETE, "", 0.1, 3)
EMPTY = Answer(Outcome.EMPTY, "No endpoints found", 0.1, 0)
DENIED = Answer(Outcome.REFUSED, "Permission denied", 0.1, 0)
UNKNOWN = Answer(Outcome.FAILED, "Invalid/unknown command: X. Use Action: ListCommands", 0.1, 0)
CUT = Answer(Outcome.CUT, "the server closed the connection", 0.1, 0)


def collector(*polls: tuple[Action, ...]) -> Collector:
    return Collector("subject", "A subject", (), polls)


def settings() -> TargetSettings:
    return TargetSettings("pbx1", "127.0.0.1", "exporter", Secret("not-shown"))


def diagnosis(answers: dict[Action, Answer], commands: str = "", listened: Listened | None = None) -> Diagnosis:
    polls = tuple((action,) for action in answers)
    about = subject(settings(), [collector(*polls)])
    held = frozenset(f"listcommands {commands}".split())
    return diagnose(about, Examination((11, 0, 0), "127.0.0.1", held, "22.10.1", answers, listened))


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ({QUEUES: WORKS}, State.WORKS),
        ({ENDPOINTS: EMPTY}, State.WORKS),
        ({ENDPOINTS: DENIED}, State.DENIED),
        ({AGENTS: DENIED}, State.LEFT),
        ({SIP: UNKNOWN}, State.UNSUPPORTED),
        ({QUEUES: WORKS, ENDPOINTS: DENIED}, State.PART),
        ({QUEUES: WORKS, AGENTS: DENIED}, State.WORKS),
        ({QUEUES: WORKS, SIP: UNKNOWN}, State.WORKS),
        ({SIP: UNKNOWN, ENDPOINTS: DENIED}, State.DENIED),
        ({SIP: UNKNOWN, AGENTS: DENIED}, State.LEFT),
        ({QUEUES: CUT, AGENTS: WORKS}, State.FAULT),
        ({}, State.EVENTS),
    ],
)
def test_a_collector_is_judged_by_all_its_lists(answers: dict[Action, Answer], state: State) -> None:
    assert finding(EnabledCollector(collector(*((action,) for action in answers))), answers).state is state


def test_a_lesser_list_in_place_of_one_denied_is_works_in_part_and_names_both() -> None:
    found = finding(EnabledCollector(collector((ENDPOINTS, DEVICES))), {ENDPOINTS: DENIED, DEVICES: WORKS})
    assert found.state is State.PART
    assert found.missing == {"system": ("PJSIPShowEndpoints",)}
    assert found.instead == {"PJSIPShowEndpoints": "DeviceStateList"}


def test_an_alternative_of_newer_servers_is_no_loss_where_the_older_one_answers() -> None:
    assert (
        finding(EnabledCollector(collector((ENDPOINTS, DEVICES))), {ENDPOINTS: UNKNOWN, DEVICES: WORKS}).state
        is State.WORKS
    )


@pytest.mark.parametrize(
    ("rights", "least"),
    [
        ({"system", "reporting"}, "reporting"),
        ({"call", "reporting"}, "reporting"),
        ({"system"}, "system"),
        ({"command"}, "command"),
        (set(), ""),
    ],
)
def test_the_least_dangerous_class_is_asked_for(rights: set[str], least: str) -> None:
    assert least_dangerous(frozenset(rights)) == least


@pytest.mark.parametrize(
    ("commands", "held"),
    [
        ("ping queuestatus queuereset", set()),
        ("ping corestatus", {"reporting"}),
        ("ping corestatus faxstats", {"reporting"}),
        ("ping extensionstate", {"reporting"}),
        ("moduleload corestatus", {"system"}),
        ("moduleload corestatus extensionstate", {"system", "reporting"}),
        ("setvar extensionstate", {"call"}),
        ("setvar extensionstate moduleload corestatus", {"call", "system"}),
        ("command", {"command"}),
    ],
)
def test_the_commands_offered_prove_which_classes_of_write_a_user_has(commands: str, held: set[str]) -> None:
    assert held_classes(frozenset(commands.split())) == held


def test_reporting_is_the_right_that_must_be_there() -> None:
    found = diagnosis({DEVICES: DENIED})
    assert found.faults == ["write=reporting is missing: without it there is no DeviceStateList"]


@pytest.mark.parametrize("action", [ENDPOINTS, AGENTS, Action("ParkedCalls")])
def test_no_more_than_reporting_is_ever_a_must(action: Action) -> None:
    assert diagnosis({action: DENIED, DEVICES: WORKS}).faults == []


def test_a_right_beyond_the_tiers_is_named_with_what_needs_it() -> None:
    found = diagnosis({AGENTS: WORKS, ENDPOINTS: WORKS}, "agents originate moduleload faxstats")
    assert dict(found.surplus) == {"agent": ["Agents"], "originate": []}
    assert found.tier_useful


def test_a_server_that_lists_no_commands_proves_rights_by_its_answers_alone() -> None:
    about = subject(settings(), [collector((AGENTS,), (DEVICES,), (ENDPOINTS,))])
    answers = {AGENTS: WORKS, DEVICES: WORKS, ENDPOINTS: DENIED}
    everything = frozenset(name.lower() for name in ACTIONS)
    found = diagnose(about, Examination((1, 0), "127.0.0.1", everything, "", answers))
    assert found.held == {"agent"}


@pytest.mark.parametrize("action", [AGENTS, Action("ParkedCalls"), Action("Parkinglots")])
def test_a_dangerous_class_is_never_proposed(action: Action) -> None:
    found = diagnosis({action: DENIED, DEVICES: WORKS}, "faxstats")
    assert (found.brings, found.findings[0].left, found.faults) == ({}, (action.name,), [])


def test_a_class_by_which_another_action_was_offered_is_not_missing() -> None:
    assert diagnosis({ENDPOINTS: DENIED, DEVICES: WORKS}, "pjsipshowaors faxstats").brings == {}
    assert diagnosis({SIP: DENIED, DEVICES: WORKS}, "faxstats").brings == {}
    assert diagnosis({SIP: DENIED, DEVICES: WORKS}).brings == {}
    assert diagnosis({ENDPOINTS: DENIED, Action("PJSIPShowAors"): WORKS}).brings == {}


def test_the_module_that_a_version_no_longer_has_is_no_right() -> None:
    assert diagnosis({SIP: DENIED}).brings == {}


def test_the_page_and_the_doctor_judge_alike() -> None:
    """Of every action alone, for a user of nothing, of reporting, and of both tiers."""
    for commands in ("ping", "faxstats", "faxstats moduleload"):
        for action in map(Action, (name for name, spec in ACTIONS.items() if not spec.required and name != "Command")):
            page = lacking([action], frozenset({"listcommands", *commands.split()}), "22.10.1")
            brings = diagnosis({action: DENIED}, commands).brings
            assert (tuple(brings.get("reporting", ())), tuple(brings.get("system", ()))) == (page.needed, page.further)
            assert brings.keys() <= {"reporting", "system"}


def test_system_is_too_much_where_nothing_needs_it() -> None:
    assert dict(diagnosis({DEVICES: WORKS}, "moduleload faxstats").surplus) == {"system": []}


def test_what_the_configuration_requires_and_the_user_cannot_have_is_a_fault() -> None:
    required = EnabledCollector(collector((AGENTS,)), required=True)
    about = subject(settings(), [])
    found = diagnose(
        type(about)(settings(), [required], []),
        Examination((11, 0, 0), "127.0.0.1", frozenset(), "22.10.1", {AGENTS: DENIED}),
    )
    (fault,) = found.faults
    assert fault == (
        "subject is required (enabled: true), but this user cannot have Agents: that needs write=agent, "
        "and whoever has the secret can then add, remove and pause queue members, and log agents off"
    )


def test_a_second_session_that_is_refused_is_a_fault_that_says_so() -> None:
    found = diagnosis({QUEUES: WORKS}, listened=Listened(system=True, fault="Login Already In Use"))
    assert found.faults == ["the event link cannot be opened beside the poll link: Login Already In Use"]
    assert found.reads == {"system": True}


def test_events_are_named_as_asterisk_writes_them_since_a_filter_tells_case_apart() -> None:
    things = counter("asterisk_custom_things_total", "Things")
    rules = tuple(Rule(things, None, (name,)) for name in ("hangup", "ThirdPartyThing"))
    assert subject(settings(), [Collector("custom", "Of one's own", (things,), rules=rules)]).events == [
        "Hangup",
        "ThirdPartyThing",
    ]


def test_the_block_lets_in_our_own_address_alone() -> None:
    assert user_block("exporter", "192.0.2.7", read="system", write="reporting") == [
        "[exporter]",
        "secret = a-long-random-one",
        "deny = 0.0.0.0/0.0.0.0",
        "permit = 192.0.2.7/255.255.255.255",
        "read = system",
        "write = reporting",
        "writetimeout = 5000",
        "displayconnects = no",
    ]
    assert "permit = 2001:db8::1/128" in user_block("exporter", "2001:db8::1", read="system", write="reporting")
    assert "permit = 192.0.2.7/255.255.255.255" in user_block("e", "::ffff:192.0.2.7", read="system", write="reporting")
