import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest

from ami_exporter.web import passwords
from ami_exporter.web.admission import TokenBucket
from ami_exporter.web.passwords import BasicAuth, PasswordVerdict
from ami_exporter.web.turns import Turns
from tests.support.web import Running, running, wait_until

HASH = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()
USERS = {"prom": HASH}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def web_config(tmp_path: Path, text: str) -> str:
    file = tmp_path / "web.yml"
    file.write_text(text)
    return str(file)


def status(web: Running, authorization: str | None, path: str = "/metrics") -> int:
    return web.ask(path, headers={} if authorization is None else {"Authorization": authorization}).status


def test_only_the_right_password_gets_in(tmp_path: Path) -> None:
    with running(config_file=web_config(tmp_path, f"basic_auth_users: {{prom: {HASH}}}\n")) as web:
        right = basic("prom", "right")
        assert status(web, right) == 200
        assert status(web, right.replace("Basic", "bAsIc")) == 200
        wrong = [
            None,
            "",
            "Basic",
            "Basic !!!",
            "Basic " + base64.b64encode(b"no colon").decode(),
            "Bearer abc",
            basic("prom", "wrong"),
            basic("prom", ""),
            basic("prom", "right\0"),
            basic("prom", "right" + "x" * 100),
            basic("nobody", "right"),
            basic("", ""),
            "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        ]
        assert [status(web, header) for header in wrong] == [401] * len(wrong)
        refused = web.ask("/")
        assert refused.headers["www-authenticate"] == 'Basic realm="ami-exporter", charset="UTF-8"'
        assert [status(web, None, path) for path in ("/nope", "/-/healthy", "/-/reload")] == [401] * 3
        assert len(web.service.scrapes) == 2


@pytest.mark.parametrize("variant", ["$2a$", "$2b$", "$2y$"])
def test_every_variant_of_the_hash_is_read(tmp_path: Path, variant: str) -> None:
    text = f"basic_auth_users: {{prom: {variant}{HASH[4:]}}}\n"
    with running(config_file=web_config(tmp_path, text)) as web:
        assert status(web, basic("prom", "right")) == 200


def test_a_changed_password_counts_at_once(tmp_path: Path) -> None:
    file = web_config(tmp_path, f"basic_auth_users: {{prom: {HASH}}}\n")
    with running(config_file=file) as web:
        assert status(web, basic("prom", "right")) == 200
        other = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()
        web_config(tmp_path, f"basic_auth_users: {{prom: {other}}}\n# longer\n")
        assert status(web, basic("prom", "right")) == 401
        assert status(web, basic("prom", "other")) == 200


def test_headers_of_the_file_are_on_every_response(tmp_path: Path) -> None:
    text = (
        "http_server_config: {headers: {Content-Security-Policy: \"default-src 'self'\", X-XSS-Protection: 1}}\n"
        f"basic_auth_users: {{prom: {HASH}}}\n"
    )
    with running(config_file=web_config(tmp_path, text)) as web:
        for headers in (web.ask("/").headers, web.ask("/", headers={"Authorization": basic("prom", "right")}).headers):
            assert headers["content-security-policy"] == "default-src 'self'"
            assert headers["x-xss-protection"] == "1"


def test_over_the_rate_limit_is_a_429(tmp_path: Path) -> None:
    with running(config_file=web_config(tmp_path, "rate_limit: {interval: 1h, burst: 2}\n")) as web:
        assert [web.ask("/metrics").status for _ in range(4)] == [200, 200, 429, 429]


def test_the_bucket_fills_again_up_to_its_burst() -> None:
    now = 0.0
    bucket = TokenBucket(2.0, 2, clock=lambda: now)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now = 1.9
    assert bucket.take() is False
    now = 2.0
    assert bucket.take() is True
    now = 1000.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


class Counting:
    """Stands in for bcrypt: counts, and may be held."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, bytes]] = []
        self.most_at_once = 0
        self._now = 0
        self.go = threading.Event()
        self.go.set()

    def __call__(self, password: bytes, hashed: bytes) -> bool:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        self.seen.append((password, hashed))
        self.go.wait(10)
        self._now -= 1
        return password == b"right"


@pytest.fixture
def compare() -> Counting:
    return Counting()


@dataclass(eq=False)
class FakeClient:
    """A connection that waits for the check of a password."""

    address: str = "192.0.2.1"
    wrong_passwords: int = 0
    left: bool = False

    def gone(self) -> bool:
        return self.left


def check_all(compare: Counting, headers: list[str]) -> list[PasswordVerdict]:
    """Check all at once; the first check ends when all wait."""
    turns = Turns()
    checker = BasicAuth(compare, turns)
    with ThreadPoolExecutor(len(headers)) as pool:
        checks = [pool.submit(checker.check, USERS, header, FakeClient()) for header in headers]
        if not compare.go.is_set():
            wait_until(lambda: len(turns._waiting) == len(headers) - 1)
            compare.go.set()
        return [check.result(20) for check in checks]


def test_an_unknown_user_costs_what_a_known_one_costs(compare: Counting) -> None:
    assert check_all(compare, [basic("nobody", "right")]) == [PasswordVerdict.DENIED]
    ((_, hashed),) = compare.seen
    assert hashed != HASH.encode()
    assert hashed[:7] == b"$2b$04$"
    assert len(hashed) == 60
    assert bcrypt.checkpw(b"right", hashed) is False


def test_the_time_of_a_refusal_does_not_tell_whether_the_user_exists() -> None:
    hashed = bcrypt.hashpw(b"right", bcrypt.gensalt(8))
    nobody = passwords._nobody({"prom": hashed.decode()}).encode()

    def seconds(hashed: bytes) -> float:
        times = []
        for _ in range(5):
            started = time.thread_time()
            assert passwords.compare_bcrypt(b"wrong", hashed) is False
            times.append(time.thread_time() - started)
        return min(times)

    assert 0.5 < seconds(nobody) / seconds(hashed) < 2


def test_one_hash_at_a_time_and_the_same_password_only_once(compare: Counting) -> None:
    compare.go.clear()
    verdicts = check_all(compare, [basic("prom", "right")] * 10 + [basic("prom", "wrong")] * 5)
    assert verdicts == [PasswordVerdict.GRANTED] * 10 + [PasswordVerdict.DENIED] * 5
    assert len(compare.seen) == 2
    assert compare.most_at_once == 1


def test_wrong_guesses_never_push_out_a_right_password(compare: Counting) -> None:
    checker = BasicAuth(compare)
    checker.check(USERS, basic("prom", "right"), FakeClient())
    for n in range(150):
        checker.check(USERS, basic("prom", f"guess {n}"), FakeClient())
    assert len(checker._memory[PasswordVerdict.DENIED]) == 100
    hashed_so_far = len(compare.seen)
    assert checker.check(USERS, basic("prom", "right"), FakeClient()) is PasswordVerdict.GRANTED
    assert len(compare.seen) == hashed_so_far


def test_no_password_is_kept_in_memory(compare: Counting) -> None:
    checker = BasicAuth(compare)
    checker.check(USERS, basic("prom", "right"), FakeClient())
    checker.check(USERS, basic("prom", "planted-secret"), FakeClient())
    assert b"planted-secret" not in b"".join(checker._memory[PasswordVerdict.DENIED])
    assert b"right" not in b"".join(checker._memory[PasswordVerdict.GRANTED])
