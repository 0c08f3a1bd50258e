"""web.config.file rewritten in place while requests come: the door stays shut, and who may come in still may."""

import http.client
import os
import random
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ami_exporter.config.faults import ConfigErrors
from ami_exporter.webconfig.live import SETTLE_SECONDS, LiveWebConfig
from ami_exporter.webconfig.live import _read as read_state
from tests.support.certificates import Authority
from tests.support.web import Running, exchange, running, wait_until
from tests.web.test_auth import basic

pytestmark = pytest.mark.slow

HASH, OTHER = (bcrypt.hashpw(word, bcrypt.gensalt(4)).decode() for word in (b"right", b"other"))
AUTHORITY = Authority()
SERVER, CLIENT = AUTHORITY.issue("localhost"), AUTHORITY.issue("prometheus", "prometheus.example.net")

USERS = f"basic_auth_users:\n  prom: {HASH}\n  second: {OTHER}\n"
HEADERS = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
RATE = "rate_limit:\n  interval: 1us\n  burst: 1000\n"
TLS = (
    "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
    "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
    "  client_allowed_sans: [prometheus.example.net]\n"
)
FILES = {
    "users alone": USERS,
    "users first": USERS + HEADERS + RATE,
    "users last": "# the door\n" + HEADERS + RATE + USERS,
    "one line": f"basic_auth_users: {{prom: {HASH}, second: {OTHER}}}\n",
    "with TLS": TLS + USERS,
    "TLS last": USERS + TLS,
}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    SERVER.write(tmp_path, "server")
    (tmp_path / "ca.pem").write_text(AUTHORITY.pem)
    return tmp_path


def shut(live: LiveWebConfig) -> bool:
    """Whether all locks of FILES are in force."""
    config = live.config()
    locked = set(config.users) == {"prom", "second"}
    if live.tls() is None:
        return locked
    context = live.tls()
    assert context is not None
    assert config.tls is not None
    return locked and context().verify_mode == ssl.CERT_REQUIRED and bool(config.tls.allowed_sans)


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_cut_at_any_byte_it_takes_nothing_away_while_it_is_being_written(folder: Path, text: str) -> None:
    file, clock = folder / "web.yml", Clock()
    file.write_text(text)
    live = LiveWebConfig(str(file), clock)
    for end in range(len(text)):
        clock.now += 60.0
        file.write_text(text[:end])
        assert shut(live)
        clock.now += 0.9 * SETTLE_SECONDS
        assert shut(live)
        file.write_text(text)
        assert shut(live)


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_cut_at_any_byte_for_good_it_opens_no_door(folder: Path, text: str) -> None:
    file, clock = folder / "web.yml", Clock()
    for end in range(0, len(text), 1 if "tls" not in text else 3):
        file.write_text(text)
        live = LiveWebConfig(str(file), clock)
        file.write_text(text[:end])
        for _ in range(3):
            live.config()
            clock.now += 2 * SETTLE_SECONDS
        assert live.config().users
        context = live.tls()
        assert ("cert_file" in text) == (context is not None)
        assert context is None or context().verify_mode == ssl.CERT_REQUIRED


OPENING = {
    "empty": "",
    "comment": "# nothing\n",
    "null": "null\n",
    "another section": HEADERS,
    "users without value": "basic_auth_users:\n",
    "users null": "basic_auth_users: null\n" + HEADERS,
    "another key": "basic_auth_user: {}\n",
    "a list": "[]\n",
    "NUL bytes": "\0" * 100,
}


@pytest.mark.parametrize("text", OPENING.values(), ids=OPENING)
def test_what_does_not_say_that_there_are_no_users_takes_none_away_however_long_it_stays(
    folder: Path, text: str
) -> None:
    file, clock = folder / "web.yml", Clock()
    file.write_text(USERS)
    live = LiveWebConfig(str(file), clock)
    file.write_text(text)
    for _ in range(5):
        assert shut(live)
        clock.now += SETTLE_SECONDS


@pytest.mark.parametrize("make", [Path.unlink, lambda path: path.chmod(0), lambda path: (path.unlink(), path.mkdir())])
def test_a_file_that_is_gone_or_something_else_takes_nothing_away(folder: Path, make: Callable[[Path], object]) -> None:
    file, clock = folder / "web.yml", Clock()
    file.write_text(USERS)
    live = LiveWebConfig(str(file), clock)
    make(file)
    for _ in range(5):
        assert shut(live)
        clock.now += SETTLE_SECONDS


def after_it_rests(folder: Path, before: str, after: str) -> LiveWebConfig:
    """Have the file changed and looked at until it counts."""
    file, clock = folder / "web.yml", Clock()
    file.write_text(before)
    live = LiveWebConfig(str(file), clock)
    file.write_text(after)
    for _ in range(3):
        live.config()
        clock.now += SETTLE_SECONDS
    return live


def test_no_users_said_explicitly_counts_when_the_file_rests(folder: Path) -> None:
    file, clock = folder / "web.yml", Clock()
    file.write_text(USERS)
    live = LiveWebConfig(str(file), clock)
    file.write_text("basic_auth_users: {}\n")
    assert live.config().users
    clock.now += 0.9 * SETTLE_SECONDS
    assert live.config().users
    clock.now += 0.2 * SETTLE_SECONDS
    assert live.config().users == {}


def test_one_user_of_two_taken_out_counts_when_the_file_rests(folder: Path) -> None:
    live = after_it_rests(folder, USERS, f"basic_auth_users:\n  prom: {HASH}\n")
    assert set(live.config().users) == {"prom"}


def test_a_new_user_and_a_new_hash_count_at_once(folder: Path) -> None:
    file = folder / "web.yml"
    file.write_text(f"basic_auth_users: {{prom: {HASH}}}\n")
    live = LiveWebConfig(str(file), Clock())
    file.write_text(f"basic_auth_users: {{prom: {OTHER}, new: {HASH}}}\n")
    assert live.config().users == {"prom": OTHER, "new": HASH}


CLIENT_LOCKS = [
    ("client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem", "", False),
    ("client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem", "client_auth_type: NoClientCert", True),
    ("client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem", "client_auth_type:", False),
    (
        "client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem",
        "client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem",
        True,
    ),
    (
        "client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem",
        "client_auth_type: RequireAndVerifyClientCert",  # the system's authorities instead
        False,
    ),
    (
        "client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans: [a]",
        "client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans:",
        False,
    ),
    (
        "client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans: [a]",
        "client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans: []",
        True,
    ),
]


@pytest.mark.parametrize(("before", "after", "counts"), CLIENT_LOCKS)
def test_client_certificates_are_asked_for_until_the_file_says_otherwise(
    folder: Path, before: str, after: str, counts: bool
) -> None:
    pair = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  "
    live = after_it_rests(folder, f"{pair}{before}\n", f"{pair}{after}\n")
    assert live.config().tls is not None
    assert (live.config() == read_state(str(folder / "web.yml")).config) is counts


@pytest.mark.parametrize("name", ["server.crt", "server.key", "ca.pem"])
def test_a_pem_file_cut_at_any_line_changes_nothing_while_it_is_being_written(folder: Path, name: str) -> None:
    file, clock, pem = folder / "web.yml", Clock(), folder / name
    pem.write_text(pem.read_text() * (1 if name.endswith("key") else 2))  # a chain, several authorities
    file.write_text(TLS)
    live = LiveWebConfig(str(file), clock)
    whole = pem.read_text()
    get_context = live.tls()
    assert get_context is not None
    for end in range(0, len(whole) - 4, 20):  # without its last line end it is whole
        before = get_context()
        pem.write_text(whole[:end])
        assert get_context() is before
        pem.write_text(whole)
        get_context()


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_and_however_long_it_stays_users_go_only_when_it_says_so(
    folder: Path, data: st.DataObject
) -> None:
    file, clock = folder / "web.yml", Clock()
    file.write_text(USERS)
    live = LiveWebConfig(str(file), clock)
    explicit = False
    for _ in range(data.draw(st.integers(1, 8))):
        text = data.draw(
            st.one_of(
                st.sampled_from([*OPENING.values(), USERS, HEADERS + USERS, "basic_auth_users: {}\n"]),
                st.integers(0, len(USERS)).map(lambda end: USERS[:end]),
                st.text(max_size=40).filter(lambda text: "{" not in text),
            )
        )
        explicit |= text == "basic_auth_users: {}\n"
        file.write_text(text, errors="surrogatepass")
        for _ in range(data.draw(st.integers(0, 3))):
            live.config()
            clock.now += data.draw(st.sampled_from([0.01, 1.0, 3.0]))
        assert explicit or live.config().users


def test_a_fault_is_logged_when_the_file_rests_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, clock = folder / "web.yml", Clock()
    file.write_text(USERS)
    live = LiveWebConfig(str(file), clock)
    for n in range(100):  # a file that is written all the time
        file.write_text(USERS[: n % 40])
        live.config()
        clock.now += 0.5
    assert caplog.records == []
    file.write_text("")
    for _ in range(10):
        live.config()
        clock.now += 1.0
    assert [record.getMessage() for record in caplog.records] == [
        (
            f"web configuration rejected, the last good one stays in force: {file}: it has no users any more; "
            "to serve without passwords write `basic_auth_users: {}`, or restart"
        )
    ]


def test_a_wrong_file_at_the_start_is_an_error(folder: Path) -> None:
    (folder / "web.yml").write_text("basic_auth_users: []\n")
    with pytest.raises(ConfigErrors):
        LiveWebConfig(str(folder / "web.yml"))


# Rewriters: in place with the same content, as editors, configuration management and careless scripts do it.


def truncate_and_write(file: Path, text: str) -> None:
    file.write_text(text)


def in_pieces(file: Path, text: str) -> None:
    with file.open("w") as out:
        for start in range(0, len(text), 7):
            out.write(text[start : start + 7])
            out.flush()


def rename_over(file: Path, text: str) -> None:
    beside = file.with_suffix(".new")
    beside.write_text(text)
    beside.replace(file)


def remove_and_make(file: Path, text: str) -> None:
    file.unlink()
    file.write_text(text)


def empty_then_comment(file: Path, text: str) -> None:
    for step in ("", "# soon\n", text[: random.randrange(len(text))], text):  # noqa: S311 - any place will do
        file.write_text(step)


def same_length_garbage(file: Path, text: str) -> None:
    file.write_bytes(b"#" * len(text))
    with file.open("r+b") as out:
        out.write(text.encode())


REWRITERS = [truncate_and_write, in_pieces, rename_over, remove_and_make, empty_then_comment, same_length_garbage]


@contextmanager
def rewriting(rewrite: Callable[[Path, str], None], file: Path, text: str) -> Iterator[list[int]]:
    end, times = threading.Event(), [0]

    def run() -> None:
        while not end.is_set():
            rewrite(file, text)
            times[0] += 1
            os.sched_yield()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield times
    finally:
        end.set()
        thread.join(20)


def client_context(folder: Path, *, certificate: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=AUTHORITY.pem)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificate:
        context.load_cert_chain(*CLIENT.write(folder, "client"))
    return context


@pytest.mark.parametrize("rewrite", REWRITERS)
def test_no_request_is_answered_without_a_password_while_the_file_is_rewritten(
    folder: Path, rewrite: Callable[[Path, str], None]
) -> None:
    file = folder / "web.yml"
    file.write_text(USERS)
    with running(config_file=str(file)) as web, rewriting(rewrite, file, USERS) as times:
        found = statuses(web, 150)
        wait_until(lambda: times[0] > 20)
    assert found == [(401, 200)] * 150


def statuses(web: Running, count: int) -> list[tuple[int, int]]:
    """What requests without and with the password get."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
    right = {"Authorization": basic("prom", "right")}
    try:
        return [
            (exchange(connection, "/metrics").status, exchange(connection, "/metrics", headers=right).status)
            for _ in range(count)
        ]
    finally:
        connection.close()


def request_without_certificate(port: int, context: ssl.SSLContext) -> bool:
    """Whether a client without a certificate is answered."""
    connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
    try:
        return exchange(connection, "/metrics").status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@pytest.mark.parametrize("rewrite", [truncate_and_write, empty_then_comment])
@pytest.mark.parametrize("name", ["web.yml", "ca.pem", "server.crt", "server.key"])
def test_no_client_without_a_certificate_is_answered_while_a_file_is_rewritten(
    folder: Path, rewrite: Callable[[Path, str], None], name: str
) -> None:
    file = folder / "web.yml"
    file.write_text(TLS)
    with_one, without = client_context(folder, certificate=True), client_context(folder, certificate=False)
    text = (folder / name).read_text()
    with running(config_file=str(file)) as web, rewriting(rewrite, folder / name, text) as times:
        for _ in range(15):
            assert not request_without_certificate(web.port, without)
            assert request_without_certificate(web.port, with_one)
        wait_until(lambda: times[0] > 5)
