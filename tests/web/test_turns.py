"""Whose password is checked next."""

import threading

import pytest

from ami_exporter.web import turns as turns_module
from ami_exporter.web.turns import FORGET_SECONDS, Turns
from tests.support.web import wait_until
from tests.web.test_auth import FakeClient


class Order:
    """Turns that are noted; the first one lasts until all others wait."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.had: list[str] = []
        self._first_ends = threading.Event()
        self._threads: list[threading.Thread] = []

    def ask(self, name: str, client: FakeClient) -> None:
        waiting = len(self.turns._waiting)
        thread = threading.Thread(target=self._run, args=[name, client], daemon=True)
        thread.start()
        self._threads.append(thread)
        if len(self._threads) == 1:
            wait_until(lambda: self.turns._current is not None)
        else:
            wait_until(lambda: len(self.turns._waiting) == waiting + 1)

    def _run(self, name: str, client: FakeClient) -> None:
        with self.turns.turn(client) as mine:
            self.had.append(name if mine else f"not {name}")
            if len(self.had) == 1:
                self._first_ends.wait(20)

    def after_all(self) -> list[str]:
        self._first_ends.set()
        for thread in self._threads:
            thread.join(20)
        return self.had[1:]


def test_an_address_that_sent_wrong_passwords_waits_behind_one_that_did_not() -> None:
    order = Order(Turns())
    order.turns.note_wrong(FakeClient("192.0.2.66"))
    order.ask("first", FakeClient("203.0.113.1"))
    order.ask("scraper", FakeClient("198.51.100.1"))
    for n in range(5):
        order.ask(f"guess {n}", FakeClient("192.0.2.66"))
    assert order.after_all()[0] == "scraper"


def test_a_connection_that_sent_wrong_passwords_waits_behind_others_of_its_address() -> None:
    order = Order(Turns())
    guessers = [FakeClient() for _ in range(5)]
    order.ask("first", FakeClient("203.0.113.1"))
    order.ask("scraper", FakeClient())
    for n, guesser in enumerate(guessers):
        order.turns.note_wrong(guesser)
        order.ask(f"guess {n}", guesser)
    assert order.after_all()[0] == "scraper"


def test_of_equals_the_newest_goes_first() -> None:
    order = Order(Turns())
    for name in ("first", "second", "third", "scraper"):
        order.ask(name, FakeClient())
    assert order.after_all() == ["scraper", "third", "second"]


def test_a_wrong_password_is_forgotten_after_a_minute() -> None:
    now = 0.0
    turns = Turns(clock=lambda: now)
    turns.note_wrong(FakeClient("192.0.2.66"))
    assert turns._recent("192.0.2.66") == 1
    now = FORGET_SECONDS
    assert turns._recent("192.0.2.66") == 0


def test_wrong_passwords_of_any_number_of_addresses_take_bounded_memory() -> None:
    turns = Turns()
    for n in range(1500):
        turns.note_wrong(FakeClient(f"address {n}"))
    assert len(turns._wrong) == 1000


def test_one_whose_client_has_gone_costs_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "LOOK_SECONDS", 0.01)
    order, gone = Order(Turns()), FakeClient()
    order.ask("first", FakeClient())
    order.ask("gone", gone)
    order.ask("scraper", FakeClient())
    gone.left = True
    wait_until(lambda: "not gone" in order.had)
    assert order.after_all() == ["not gone", "scraper"]


@pytest.mark.parametrize("clients", [1, 50])
def test_who_waits_too_long_is_told_so_and_the_turns_go_on(monkeypatch: pytest.MonkeyPatch, clients: int) -> None:
    monkeypatch.setattr(turns_module, "LOOK_SECONDS", 0.01)
    order = Order(Turns(wait_seconds=0.1))
    order.ask("first", FakeClient())
    threads = [threading.Thread(target=order._run, args=["late", FakeClient()]) for _ in range(clients)]
    for thread in threads:
        thread.start()
    wait_until(lambda: order.had.count("not late") == clients)
    order.after_all()
    wait_until(lambda: order.turns._current is None)
    with order.turns.turn(FakeClient()) as mine:
        assert mine
