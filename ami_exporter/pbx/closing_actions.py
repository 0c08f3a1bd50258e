"""Actions after which a server closes the session: found, and left out, so that they cost their own collector alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Answer, Link, Outcome
from ami_exporter.ami.message import Message
from ami_exporter.pbx.plan import PING

#: Seconds until such an action is tried again, if the server is neither restarted nor reloaded before.
LEFT_OUT_SECONDS = 3600.0
_LEFT_OUT = "the server closes the session after this action: it is left out for an hour, or until a restart or reload"


class ClosingActions:
    """What one server has closed sessions after. clock: monotonic seconds.

    A session that ends in the middle of several answers makes two actions suspect: the one whose answer was complete
    last, and the next one. From then on each of them is asked after all others, with a Ping behind it, until it turns
    out which one it is, or neither.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._suspects: dict[Action, None] = {}
        self._until: dict[Action, float] = {}
        #: Whether the last exchange has shown which action it is.
        self.found = False

    def forget(self) -> None:
        """Try everything again: the server was restarted or reloaded."""
        self._suspects.clear()
        self._until.clear()

    @property
    def suspected(self) -> tuple[Action, ...]:
        """What the next session will tell more about."""
        return tuple(self._suspects)

    def exchange(
        self,
        link: Link,
        actions: Iterable[Action],
        on_item: Callable[[Action, Message], None],
        deadline: float,
        first_answer_timeout: float | None = None,
    ) -> Mapping[Action, Answer]:
        """As Link.exchange; an action that is left out has failed."""
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
        """Note between which answers the server ended the session."""
        last = None
        for action, answer in answers.items():
            if answer.outcome is Outcome.CUT:
                if last is not None:  # else nothing was answered: it was the server's end, or the network's
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
