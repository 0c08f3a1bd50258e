"""Checks console commands: runs each once, as the user configured for them, and reads the output by its rules."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Answer, Outcome
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Unreadable
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.command_link import CommandLink
from ami_exporter.pbx.login_backoff import LoginBackoff
from ami_exporter.pbx.own_logins import OwnLogins
from ami_exporter.pbx.stats import TargetStats

NO_ROW = "the answer is good, and no rule finds a row in it: compare with ami-exporter check --sample"


def ask_console(
    target: TargetSettings, collectors: Sequence[Collector], commands: Sequence[Action], gate: LoginBackoff
) -> tuple[Mapping[Action, Answer], Mapping[str, Message]]:
    """Run the commands; an output that cannot be read, or has no row for any rule, is a failure.

    Returns the answers and the output of each command.
    """
    link = CommandLink(
        target,
        gate=gate,
        logins=OwnLogins(time.monotonic),
        stats=TargetStats(time.monotonic, ["poll"]),
        clock=time.monotonic,
    )
    responses: dict[Action, Message] = {}
    answers = link.exchange(commands, responses.__setitem__, time.monotonic() + target.timeout)
    judged = {action: _judged(action, answer, collectors, responses) for action, answer in answers.items()}
    return judged, {action.label: response for action, response in responses.items()}


def _judged(
    action: Action, answer: Answer, collectors: Sequence[Collector], responses: Mapping[Action, Message]
) -> Answer:
    if action not in responses:
        if answer.outcome is Outcome.REFUSED:
            return answer._replace(
                outcome=Outcome.FAILED, message=f"{answer.message}: command_user needs write=command"
            )
        return answer
    rules = [rule for one in collectors for rule in one.rules if rule.source == action and rule.read is not None]
    try:
        rows = sum(len(rule.read(responses[action])) for rule in rules if rule.read is not None)
    except Unreadable as error:
        return answer._replace(outcome=Outcome.FAILED, message=str(error))
    return answer if rows else answer._replace(outcome=Outcome.FAILED, message=NO_ROW)
