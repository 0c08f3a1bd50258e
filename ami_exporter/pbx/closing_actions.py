"""Finds actions after which a server closes the session, and skips them, so that only their own collector fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Answer, Link, Outcome
from ami_exporter.ami.message import Message
from ami_exporter.pbx.plan import PING

#: Seconds until a skipped action is tried again, unless the server restarts or reloads before.
LEFT_OUT_SECONDS = 3600.0
_LEFT_OUT = "the server closes the session after this action: it is left out for an hour, or until a restart or reload"


class ClosingActions:
    """The actions after which one server closes sessions. clock: monotonic seconds.

    When a session ends amid several answers, two actions are suspects: the last one that was answered in full, and the
    next one. From then on each suspect is sent after all other actions, followed by a Ping, until it is clear which one
    is to blame, or neither.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._suspects: dict[Action, None] = {}
        self._until: dict[Action, float] = {}
        #: Whether the last exchange has found the action to blame.
        self.found = False

    def forget(self) -> None:
        """Try everything again, because the server was restarted or reloaded."""
        self._suspects.clear()
        self._until.clear()

    @property
    def suspected(self) -> tuple[Action, ...]:
        """The actions that the next session tests."""
        return tuple(self._suspects)

    def exchange(
        self,
        link: Link,
        actions: Iterable[Action],
        on_item: Callable[[Action, Message], None],
        deadline: float,
        first_answer_timeout: float | None = None,
    ) -> Mapping[Action, Answer]:
        """Do what Link.exchange does; a skipped action counts as failed."""
        now = self._clock()
        self.found = False
        wanted = dict.fromkeys(actions)
        left_out = [action for action in wanted if now < self._until.get(action, now)]
        alone = [action for action in wanted if action in self._suspects and action not in left_out]
        together = [action for action in wanted if action not in left_out and action not in alone]
        answers = dict(link.exchange(together, on_item, deadline, first_answer_timeout)) if together else {}
        if link.ended_by_server:
            self._suspect(answers)
        for action in alone:
            answers[action] = self._ask_alone(link, action, on_item, deadline)
        answers.update((action, Answer(Outcome.FAILED, _LEFT_OUT, 0.0, 0)) for action in left_out)
        return answers

    def _suspect(self, answers: Mapping[Action, Answer]) -> None:
        """Note the two answers between which the server ended the session."""
        last = None
        for action, answer in answers.items():
            if answer.outcome is Outcome.CUT:
                if last is not None:  # else nothing was answered: the server or the network went down
                    self._suspects.update(dict.fromkeys(each for each in (last, action) if each != PING))
                return
            last = action

    def _ask_alone(
        self, link: Link, action: Action, on_item: Callable[[Action, Message], None], deadline: float
    ) -> Answer:
        if link.closed:
            return Answer(Outcome.CUT, "the server closed the session", 0.0, 0)
        answer = link.exchange((action,), on_item, deadline)[action]
        alive = answer
        if not link.closed:
            alive = link.exchange((PING,), on_item, deadline)[PING]
        if alive.outcome is Outcome.DEADLINE:
            return answer
        del self._suspects[action]
        if alive.outcome is Outcome.CUT and link.ended_by_server:
            self._until[action] = self._clock() + LEFT_OUT_SECONDS
            self.found = True
            return Answer(Outcome.FAILED, _LEFT_OUT, answer.seconds, answer.items)
        return answer
