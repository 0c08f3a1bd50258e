"""The README's five minutes, done by the letter against the simulated PBX."""

from __future__ import annotations

from configparser import ConfigParser

import pytest
import yaml

from ami_exporter.demo import DemoSettings, SimulatedPbx, User
from ami_exporter.demo.rights import classes
from tests.support.documents import REPO, blocks_of, commands
from tests.support.exporter_process import exporter, run

README = REPO / "README.md"
BLOCKS = list(blocks_of(README))


def readme_user() -> User:
    """The AMI user of the README's section."""
    parser = ConfigParser()
    parser.read_string(next(block.text for block in BLOCKS if block.language == "ini"))
    (name,) = parser.sections()
    user = parser[name]
    return User(name, user["secret"], read=classes(user["read"]), write=classes(user["write"]))


def readme_command() -> tuple[dict[str, str], list[str]]:
    """The one command, its secret in the environment."""
    for block in BLOCKS:
        for words in commands(block) if block.language == "sh" else ():
            if len(words) > 1 and words[1] == "ami-exporter":
                name, _, value = words[0].partition("=")
                return {name: value}, words[2:]
    raise LookupError("no such command")


@pytest.mark.slow
def test_user_and_command_of_the_readme_give_metrics() -> None:
    user = readme_user()
    environ, arguments = readme_command()
    assert environ["AMI_EXPORTER_AMI_SECRET"] == user.secret, "pasted as they stand, both are the same"
    with SimulatedPbx(DemoSettings(queues=2), users=[user]) as pbx:
        arguments[arguments.index("--ami.address") + 1] = f"127.0.0.1:{pbx.port}"
        with exporter(*arguments, environ=environ) as process:
            scrape = process.get()
            page = process.get("/")
    assert scrape.value("asterisk_up") == 1
    assert scrape.value("asterisk_active_calls") is not None
    assert scrape.value("asterisk_queue_callers", queue="support") is not None or scrape.by(
        "asterisk_queue_info", "queue"
    )
    assert page.status == 200


@pytest.mark.slow
def test_scrape_with_the_same_flags_prints_the_metrics() -> None:
    user = readme_user()
    _, arguments = readme_command()
    with SimulatedPbx(DemoSettings(), users=[user]) as pbx:
        arguments[arguments.index("--ami.address") + 1] = f"127.0.0.1:{pbx.port}"
        done = run("scrape", *arguments, environ={"AMI_EXPORTER_AMI_SECRET": user.secret})
    assert done.returncode == 0, done.stderr
    assert "\nasterisk_up 1\n" in done.stdout


def test_scrape_config_names_the_default_port() -> None:
    (block,) = [block for block in BLOCKS if block.language == "yaml"]
    (job,) = yaml.safe_load(block.text)["scrape_configs"]
    assert job["static_configs"][0]["targets"][0].endswith(":15038")
