"""Runs the console commands of one target as their own AMI user, on a connection that lasts as long as they take.

The poll user never holds write=command: with that right alone `core stop now` and `channel originate` work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import closing

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import AmiError
from ami_exporter.ami.link import Answer, Outcome
from ami_exporter.ami.message import Message
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.connector import open_further
from ami_exporter.pbx.login_backoff import LoginBackoff, LoginPaused
from ami_exporter.pbx.own_logins import OwnLogins
from ami_exporter.pbx.state_log import StateLog
from ami_exporter.pbx.stats import TargetStats

log = logging.getLogger(__name__)

#: Seconds for the login and all commands of a poll together: a console command may hold locks of the PBX.
COMMAND_SECONDS = 5.0
#: Seconds until a failed command is sent again: a missing module rarely appears soon.
PAUSE_SECONDS = 60.0

NO_USER = "no command_user in the configuration: console commands need a user of their own"


class CommandLink:
    """Runs console commands. gate: paces all logins of the target; logins: records them; clock: monotonic seconds."""

    def __init__(
        self,
        settings: TargetSettings,
        *,
        gate: LoginBackoff,
        logins: OwnLogins,
        stats: TargetStats,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._logins = logins
        self._stats = stats
        self._clock = clock
        self._failed: dict[Action, tuple[float, str]] = {}
        self._state_log = StateLog(log)

    @property
    def available(self) -> bool:
        """Whether the configuration names a command user."""
        return self._settings.command_user is not None

    def configure(self, settings: TargetSettings) -> None:
        """Use new settings; failed commands are tried again at once."""
        self._settings = settings
        self._failed.clear()

    def failed(self, action: Action, why: str) -> None:
        """Note that a command's answer is unreadable, so that it is not sent again for PAUSE_SECONDS."""
        self._failed[action] = (self._clock() + PAUSE_SECONDS, why)

    def exchange(
        self, actions: Collection[Action], on_item: Callable[[Action, Message], None], deadline: float
    ) -> Mapping[Action, Answer]:
        """Log in, run the commands and log off before the deadline (monotonic seconds).

        Every command gets an answer, a failed one too; nothing is raised. on_item takes each response.
        """
        now = self._clock()
        paused = {action: self._failed[action] for action in actions if action in self._failed}
        answers = {action: _failure(why) for action, (until, why) in paused.items() if now < until}
        due = [action for action in actions if action not in answers]
        if due:
            answers |= self._run(due, on_item, min(deadline, now + COMMAND_SECONDS))
        return answers

    def _run(
        self, actions: Collection[Action], on_item: Callable[[Action, Message], None], deadline: float
    ) -> Mapping[Action, Answer]:
        user = self._settings.command_user
        if user is None:
            return dict.fromkeys(actions, _failure(NO_USER))
        try:
            link = open_further(self._settings, user, deadline, gate=self._gate, logins=self._logins, clock=self._clock)
            with closing(link):
                answers = link.exchange(actions, on_item, deadline)
        except LoginPaused as paused:
            return dict.fromkeys(actions, _failure(f"user {user.username}: {paused}"))
        except AmiError as error:
            self._stats.login_failed(error.reason)
            self._note(f"user {user.username}: {error}")
            return dict.fromkeys(actions, _failure(f"user {user.username}: {error}"))
        for action, answer in answers.items():
            if answer.outcome in (Outcome.FAILED, Outcome.REFUSED):
                self.failed(action, answer.message)
            else:
                self._failed.pop(action, None)
        self._note("")
        return answers

    def _note(self, error: str) -> None:
        text = "console commands cannot be run" if error else "console commands are run"
        extra = {"target": self._settings.name} | ({"error": error} if error else {})
        self._state_log.note((), (error,), logging.WARNING if error else logging.INFO, text, **extra)


def _failure(why: str) -> Answer:
    return Answer(Outcome.FAILED, why, 0.0, 0)
