"""What the pages tell people to type or paste works."""

from __future__ import annotations

import re
import subprocess
import sys
from configparser import ConfigParser
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml

from ami_exporter.ami.login import EVENT_CLASSES
from ami_exporter.commands import loading
from ami_exporter.commands.options import parse
from ami_exporter.config.load import load
from ami_exporter.demo import DemoSettings, SimulatedPbx, User
from ami_exporter.demo.rights import classes
from ami_exporter.webconfig.document import read_web_config
from tests.support.documents import REPO, Block, blocks, commands
from tests.support.exporter_process import clean_environ, exporter, run

PROMETHEUS_KEYS = {"scrape_configs", "rule_files", "alerting", "global"}
WEB_KEYS = {"tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"}
CONFIG_KEYS = {"defaults", "targets", "custom"}
ONE_TARGET = (
    "targets: {example: {address: pbx.example.net, username: exporter, secret: s3cret, "
    "command_user: {username: cli, secret: another}}}\n"
)


def cases(*languages: str) -> list[Any]:
    return [pytest.param(block, id=block.where) for block in blocks(*languages)]


def yaml_cases(keys: set[str]) -> list[Any]:
    found = []
    for block in blocks("yaml", "yml"):
        tree = yaml.safe_load(block.text)
        if isinstance(tree, dict) and tree.keys() & keys and tree.keys() <= keys:
            found.append(pytest.param(block, id=block.where))
    return found


def whole(block: Block) -> bool:
    """Whether a Python block is a program, and no excerpt with a line of dots or a test's few lines."""
    return "\n...\n" not in block.text and block.text.startswith(("from ", "import "))


@pytest.mark.slow
@pytest.mark.parametrize("block", [case for case in cases("python") if whole(case.values[0])])
def test_python_runs(block: Block) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text],
        cwd=REPO,
        env=clean_environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout, "an example shows something"


def our_commands() -> list[Any]:
    found = []
    for block in blocks("sh", "shell", "bash", "console"):
        for words in commands(block):
            environ = {}
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                name, _, value = words.pop(0).partition("=")
                environ[name] = value
            if words and words[0] == "sudo":
                del words[0]
            if words and Path(words[0]).name == "ami-exporter":
                found.append(pytest.param(words[1:], environ, id=f"{block.where} {' '.join(words[1:3])}"))
    return found


USER = User("ami_exporter", "s3cret", read=classes("system,call,agent,security,reporting"), write=classes("reporting"))
CONFIG = """
defaults: {{address: "127.0.0.1:{port}", username: ami_exporter, secret: s3cret}}
targets: {{pbx1: {{command_user: {{username: demo_cli, secret: demo}}}}, pbx2: {{}}, pbx3: {{}}}}
custom:
  - command: module show like odbc
    read: {{table: {{head: Module, end: modules loaded}}}}
    metrics: [{{name: asterisk_custom_module, type: gauge, help: M., labels: {{module: Module}}}}]
"""
SAMPLE = REPO / "tests" / "captures" / "cli" / "module show like odbc.txt"


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "environ"), our_commands())
def test_our_commands_work(arguments: list[str], environ: dict[str, str], tmp_path: Path) -> None:
    assert parse(arguments, environ).warnings == ()
    with SimulatedPbx(DemoSettings(), users=[USER]) as pbx:
        config = tmp_path / "ours.yml"
        text = CONFIG.format(port=pbx.port)
        if arguments[0] == "doctor" and arguments[-2] == "--config.file":  # without a name it takes the only target
            text = text.replace(", pbx2: {}, pbx3: {}", "")
        config.write_text(text, encoding="utf-8")
        ours = {
            "--config.file": str(config),
            "--sample": str(SAMPLE),
            "--ami.address": f"127.0.0.1:{pbx.port}",
            "--ami.username": USER.name,
        }
        pairs = zip(["", *arguments], arguments, strict=False)
        replaced = [ours.get(flag, value) for flag, value in pairs]
        secret = {"AMI_EXPORTER_AMI_SECRET": USER.secret} if "--ami.address" in arguments else {}
        if arguments[0].startswith("-"):
            with exporter(*replaced, environ=secret) as process:
                assert process.get("/-/healthy").status == HTTPStatus.OK
        else:
            done = run(*replaced, environ=secret)
            assert (done.returncode, done.stdout != "") == (0, True), done.stderr


def test_make_targets_named_exist() -> None:
    makefile = (REPO / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        word
        for block in blocks("sh", "shell", "bash", "console")
        for words in commands(block)
        if words[0] == "make"
        for word in words[1:]
        if "=" not in word
    }
    assert named - targets == set()
    assert {"demo", "test"} <= named


@pytest.mark.parametrize("block", yaml_cases(CONFIG_KEYS))
def test_our_configuration_loads(block: Block) -> None:
    variables = set(re.findall(r"secret_env: (\w+)", block.text))
    known = replace(
        loading.catalogue(dict.fromkeys(variables, "s3cret")), read_file=lambda path, _bound: file_named(path.name)
    )
    text = block.text if "targets:" in block.text else ONE_TARGET + block.text
    assert load(block.where, text, known).targets


def file_named(name: str) -> bytes:
    """What a file that a snippet points to would hold."""
    if name.endswith((".pem", ".crt")):
        return (REPO / "tests/config/good/files/ca.pem").read_bytes()
    return b"queue,600,Support\n" if name.endswith(".csv") else b"s3cret\n"


@pytest.mark.parametrize("block", yaml_cases(WEB_KEYS))
def test_web_configuration_is_understood(block: Block) -> None:
    text = block.text.replace("$2y$10$...", f"$2y$10${'.' * 53}")
    assert read_web_config(block.where, text)


@pytest.mark.parametrize("block", yaml_cases(PROMETHEUS_KEYS))
def test_promtool_accepts_scrape_configurations(block: Block, promtool: Path, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(block.text, encoding="utf-8")
    done = subprocess.run(
        [str(promtool), "check", "config", "--syntax-only", "prometheus.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", cases("yaml", "yml"))
def test_yaml_is_yaml(block: Block) -> None:
    assert yaml.safe_load(block.text) is not None


@pytest.mark.parametrize("block", cases("ini"))
def test_sections_of_manager_conf_name_real_classes(block: Block) -> None:
    parser = ConfigParser(interpolation=None, strict=False, allow_no_value=True, comment_prefixes=(";", "#"))
    parser.read_string(block.text)
    for section in parser.sections():
        for key in ("read", "write"):
            named = {name.strip() for name in parser[section].get(key, "").split(",") if name.strip()}
            assert named - EVENT_CLASSES - {"all", "none"} == set()
