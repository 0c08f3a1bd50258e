"""Every secret planted in configuration, environment and files is looked for in everything the program puts out."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ami_exporter.webconfig.live import check_web_config
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import ExporterProcess, run
from tests.support.fleet import PASSWORD, USER, Client, Fleet, make_fleet, process_arguments, replace, watching

pytestmark = pytest.mark.slow

FLAG_SECRET = "plAnted-flag-environment-61"
WRONG_SECRET = "plAnted-wrong-62"
# Quotes, a backslash and text beyond ASCII: what is quoted or escaped in an output must be found as well.
ODD_SECRET = 'plAnted-"odd\\-ß-63'
DEFAULT_SECRET = "plAnted-default-64"


@dataclass
class House:
    """A fleet whose every secret is known, and everything that came out of the program so far."""

    fleet: Fleet
    process: ExporterProcess
    client: Client
    planted: Sequence[str]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Targets that work, that refuse the login, that cannot be reached, and one whose TLS is none."""
    with make_fleet(tmp_path_factory.mktemp("secrets"), simulated=3) as fleet:
        # Another one than sim00: a PBX that has refused logins lets those of others wait.
        address = fleet.targets["sim02"]["address"]
        fleet.targets["wrong"] = {"address": address, "secret": WRONG_SECRET}
        fleet.targets["odd"] = {"address": address, "secret": ODD_SECRET, "md5": False}
        fleet.targets["no-tls"] = {"address": address, "secret": "plAnted-no-tls-65", "tls": {"verify": False}}
        fleet.write()
        document = yaml.safe_load(fleet.config_file.read_text())
        document["defaults"]["secret"] = DEFAULT_SECRET
        replace(fleet.config_file, yaml.safe_dump(document))
        with watching(fleet, "--log.level", "debug") as process:
            yield House(fleet, process, Client(fleet, process.port), list(planted(fleet)))


def planted(fleet: Fleet) -> Iterator[str]:
    """Each secret, and each form that an output's quoting could give it."""
    yield from (FLAG_SECRET, WRONG_SECRET, DEFAULT_SECRET, PASSWORD, *fleet.environ().values())
    yield from (pbx.house.users["demo"].secret for pbx in fleet.pbxs.values())
    yield from (ODD_SECRET, ODD_SECRET.replace("\\", "\\\\"), ODD_SECRET.replace('"', "&quot;"), "plAnted-\\")
    yield from (str(target["secret"]) for target in fleet.targets.values() if "secret" in target)
    web = yaml.safe_load(fleet.web_file.read_text())
    yield from web["basic_auth_users"].values()
    yield from (fleet.folder / "web.key").read_text().splitlines()[1:-1]


def found(house: House, *outputs: str) -> list[str]:
    """Planted secrets that are in an output, and anything at all that looks planted."""
    text = "\n".join(outputs)
    return [secret for secret in house.planted if secret in text] + re.findall("plAnted[^ ]*", text)


def test_no_page_tells_a_secret(house: House) -> None:
    wait_until(lambda: house.client.get("/probe?target=sim00").value("asterisk_up") == 1, 30, "a target that is up")
    names = list(house.fleet.targets)
    paths = ["/metrics", "/", "/config", "/sd", "/-/healthy", "/-/ready", "/probe", "/probe?target=nobody", "/nowhere"]
    paths += [f"/probe?target={name}" for name in names] + [f"/?target={name}" for name in names]
    # The token of basic authentication is sent with each of these, by the way.
    answers = {path: house.client.get(path) for path in paths}
    assert {path: answer.status for path, answer in answers.items() if answer.status >= 500} == {}
    assert answers["/probe?target=wrong"].value("asterisk_up") == 0
    assert "secret" in answers["/config"].body
    assert found(house, *(f"{answer.headers}{answer.body}" for answer in answers.values())) == []


def test_a_reload_of_a_bad_file_tells_none(house: House) -> None:
    good = house.fleet.config_file.read_text()
    # Where slips happen: a key misspelt, a secret that is no text, two at once, a line of broken YAML.
    for slip in (
        "secrt: plAnted-slip-a",
        "secret: [plAnted-slip-b]",
        "secret: {plAnted-slip-c: 1}",
        'secret: "plAnted-slip-d',
        "secret: plAnted-slip-e: f",
        "secret: plAnted-slip-g\n    secret_file: /dev/null",
        "secret: plAnted-slip-h\n    secret: plAnted-slip-h",
        "secret: &a plAnted-slip-i\n    username: *a\n    address: *b",
        'secret: "plAnted-slip\\nj"',
        "secret_env: plAnted-slip-m",
        "secret_env: plAnted slip-n",
        "secret_file: plAnted-slip-o",
        "tls: {ca_flie: plAnted-slip-k}",
        "\tsecret: plAnted-slip-l",
    ):
        text = f"{good}\n".replace("\ntargets:\n", f"\ntargets:\n  slip:\n    address: 192.0.2.1\n    {slip}\n", 1)
        assert text != f"{good}\n"
        replace(house.fleet.config_file, text)
        answer = house.client.get("/-/reload", "POST")
        assert answer.status == 500, slip
        assert found(house, answer.body, house.client.get("/").body) == [], slip
    # `check` says the same in the same words; the last of the slips stands for all.
    checked = run("check", "--config.file", str(house.fleet.config_file), environ=house.fleet.environ())
    assert (checked.returncode, found(house, checked.stdout, checked.stderr)) == (1, [])
    replace(house.fleet.config_file, good)
    assert house.client.get("/-/reload", "POST").status == 200


def test_a_web_configuration_with_slips_tells_none(house: House, tmp_path: Path) -> None:
    web = tmp_path / "web.yml"
    for slip in (
        "basic_auth_users: {prometheus: plAnted-plain-password}",
        "basic_auth_users: {prometheus: [plAnted-password]}",
        "basic_auth_users: plAnted-password",
        'basic_auth_users: {prometheus: "plAnted-password',
        "tls_server_config: {cert: plAnted-certificate, key: plAnted-key}",
        "tls_server_config: {cert_file: web.crt, key_pem: plAnted-key}",
    ):
        web.write_text(f"{slip}\n")
        faults = check_web_config(str(web))
        assert faults, slip
        assert found(house, *map(str, faults)) == [], slip


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("scrape", "sim00"), 0),
        (("scrape", "wrong"), 1),
        (("scrape", "no-tls"), 1),
        (("doctor", "sim01"), 0),
        (("doctor", "wrong"), 1),
        (("capture", "sim02"), 0),
        (("check",), 0),
    ],
)
def test_no_command_tells_a_secret(house: House, command: tuple[str, ...], status: int) -> None:
    flags = ("--config.file", str(house.fleet.config_file), "--log.level", "debug")
    done = run(*command, *flags, environ=house.fleet.environ())
    assert done.returncode == status, done.stderr
    assert done.stdout + done.stderr
    assert found(house, done.stdout, done.stderr) == []


def test_a_secret_given_as_a_flag_is_refused_and_not_repeated(house: House) -> None:
    for words in (("--ami.secret", FLAG_SECRET), (f"--ami.secret={FLAG_SECRET}",), (FLAG_SECRET,)):
        done = run("scrape", "--ami.address", "127.0.0.1", "--ami.username", "x", *words)
        assert done.returncode in (1, 2)
        assert found(house, done.stdout, done.stderr) == [], words


def test_the_secret_of_the_environment_is_in_no_output(house: House) -> None:
    pbx = house.fleet.pbxs["sim00"]
    flags = ("--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", "demo", "--log.level", "debug")
    for command in ("scrape", "doctor", "check"):
        done = run(command, *flags, environ={"AMI_EXPORTER_AMI_SECRET": FLAG_SECRET})
        assert found(house, done.stdout, done.stderr) == []


def test_the_process_list_and_the_debug_log_tell_none(house: House) -> None:
    assert "--config.file" in process_arguments(house.process.process.pid)
    assert found(house, process_arguments(house.process.process.pid)) == []
    for name in house.fleet.targets:
        house.client.get(f"/probe?target={name}")
    wait_until(lambda: "target=wrong" in house.process.log, 5, "the refused login in the log")
    assert found(house, house.process.log) == []


def test_a_wrong_password_is_not_repeated_and_not_logged(house: House) -> None:
    done = subprocess.run(
        [
            *("curl", "--silent", "--include", "--cacert", str(house.fleet.ca_file), "--user", f"{USER}:plAnted-guess"),
            f"https://localhost:{house.process.port}/metrics",
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert "401" in done.stdout
    assert found(house, done.stdout, house.process.log) == []
