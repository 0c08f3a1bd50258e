"""The commands that end by themselves, as the shell calls them."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from ami_exporter.cli import main
from ami_exporter.commands.logs import LOGGER
from ami_exporter.demo import DemoSettings, SimulatedPbx, User
from ami_exporter.demo.rights import classes
from tests.support.certificates import Authority
from tests.support.exporter_process import exporter, run


def command(*arguments: str, environ: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments, environ or {})
    return status, out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command sets up the log of its process, which here is the tests' own."""
    ours = logging.getLogger(LOGGER)
    handlers, level, propagate = list(ours.handlers), ours.level, ours.propagate
    yield
    ours.handlers, ours.propagate = handlers, propagate
    ours.setLevel(level)


def flags(pbx: SimulatedPbx) -> tuple[Sequence[str], dict[str, str]]:
    return (
        ("--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", pbx.username),
        {"AMI_EXPORTER_AMI_SECRET": pbx.secret},
    )


def test_metrics_prints_the_catalogue_as_markdown_or_json() -> None:
    status, text, _ = command("metrics")
    assert (status, text.startswith("# Metrics\n")) == (0, True)
    _, plain, _ = command("metrics", "--format", "json")
    (up,) = [metric for metric in json.loads(plain) if metric["name"] == "asterisk_up"]
    assert (up["type"], up["labels"], up["collector"]) == ("gauge", [], None)


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o default -F"), ("zsh", "#compdef"), ("fish", "complete -c")]
)
def test_completion_prints_a_script(shell: str, word: str) -> None:
    status, text, _ = command("completion", shell)
    assert (status, word in text) == (0, True)


def test_scrape_prints_the_metrics_once() -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        arguments, environ = flags(pbx)
        status, text, _ = command("scrape", *arguments, environ=environ)
    assert (status, "\nasterisk_up 1\n" in text) == (0, True)


def test_scrape_of_a_pbx_that_is_down_exits_1_and_says_so() -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        arguments, environ = flags(pbx)
    status, text, log = command("scrape", *arguments, environ=environ)
    assert (status, "\nasterisk_up 0\n" in text) == (1, True)
    assert "cannot connect to Asterisk" in log
    last = log.splitlines()[-1]
    assert last.startswith(f"default: no session with 127.0.0.1:{pbx.port}: port {pbx.port}: Connection refused")
    assert f"address=127.0.0.1:{pbx.port} " in log


def test_nothing_of_the_log_comes_behind_the_reason_of_a_scrape_that_failed() -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        arguments, environ = flags(pbx)
    lines = run("scrape", *arguments, environ=environ).stderr.splitlines()
    assert [line.partition(" ")[0] for line in lines][-1] == "default:"
    assert sum("cannot connect to Asterisk" in line for line in lines[:-1]) == 1


def test_the_status_page_and_the_log_name_host_and_port_of_a_pbx_that_is_down() -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        arguments, environ = flags(pbx)
    with exporter("serve", *arguments, environ=environ) as process:
        process.get("/metrics")
        page = process.get("/").body
        log = process.log
    assert f"127.0.0.1:{pbx.port}" in page
    assert f"address=127.0.0.1:{pbx.port} " in log


def test_scrape_without_a_target_says_what_to_give() -> None:
    status, text, err = command("scrape")
    assert (status, text) == (1, "")
    assert err == (
        "command line: found neither --config.file nor --ami.address, expected one; or try `ami-exporter demo`\n"
    )


def test_check_names_every_fault_of_both_files(tmp_path: Path) -> None:
    ours, web = tmp_path / "ours.yml", tmp_path / "web.yml"
    ours.write_text("targets: {pbx1: {adress: pbx1, username: exporter, secret: s}}\n")
    web.write_text("tls_server_config: {cert_file: 1}\n")
    status, text, err = command("check", "--config.file", str(ours), "--web.config.file", str(web))
    assert (status, text) == (1, "")
    assert f"{ours}:1:11: targets.pbx1: found no address" in err
    assert f"{ours}:1:18: " in err
    assert f"{web}:1:" in err
    assert err.splitlines()[-2:] == [f"{ours}: named by --config.file", f"{web}: named by --web.config.file"]


@pytest.mark.parametrize("name", ["check", "serve", "healthcheck"])
@pytest.mark.parametrize("named", ["flag", "variable"])
def test_a_file_that_cannot_be_read_is_named_with_the_flag_or_variable_that_names_it(name: str, named: str) -> None:
    flags = {"config.file": "/no.yml", "web.config.file": "/nowhere.yml"}
    if name == "healthcheck":
        del flags["config.file"]
    sources = {flag: f"--{flag}" for flag in flags}
    arguments = [f"--{flag}={value}" for flag, value in flags.items()]
    environ = {}
    if named == "variable":
        sources = {flag: f"AMI_EXPORTER_{flag.upper().replace('.', '_')}" for flag in flags}
        environ = {sources[flag]: value for flag, value in flags.items()}
        arguments = []
    status, _, err = command(name, *arguments, environ=environ)
    told = [f"{flags[flag]}: cannot be read: no such file or directory; {sources[flag]} names it" for flag in flags]
    assert (status, err.splitlines()) == (1, told if name == "check" else told[:1])


@pytest.mark.parametrize("name", ["check", "serve", "healthcheck"])
def test_faults_within_the_web_configuration_say_which_flag_or_variable_names_the_file(
    name: str, tmp_path: Path
) -> None:
    web = tmp_path / "web.yml"
    web.write_text("tls_server_config: {cert_file: 1}\n")
    ami = () if name == "healthcheck" else ("--ami.address", "127.0.0.1:1", "--ami.username", "u")
    flag = command(name, *ami, "--web.config.file", str(web), environ={"AMI_EXPORTER_AMI_SECRET": "s"})
    environ = {"AMI_EXPORTER_WEB_CONFIG_FILE": str(web), "AMI_EXPORTER_AMI_SECRET": "s"}
    variable = command(name, *ami, environ=environ)
    assert flag[2].splitlines()[-1] == f"{web}: named by --web.config.file"
    assert variable[2].splitlines()[-1] == f"{web}: named by AMI_EXPORTER_WEB_CONFIG_FILE"
    assert flag[2].startswith(f"{web}:1:")
    assert (flag[0], variable[0]) == (1, 1)


def test_check_of_good_files_says_so(tmp_path: Path) -> None:
    ours, web = tmp_path / "ours.yml", tmp_path / "web.yml"
    ours.write_text("targets: {pbx1: {address: pbx1, username: exporter, secret: s}}\n")
    web.write_text("{}\n")
    assert command("check", "--config.file", str(ours), "--web.config.file", str(web)) == (
        0,
        f"{ours}: good, 1 target\n{web}: good\n",
        "",
    )


def test_healthcheck_tells_a_running_exporter_from_none() -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        arguments, environ = flags(pbx)
        with exporter(*arguments, environ=environ) as process:
            address = f"127.0.0.1:{process.port}"
            asked = ("healthcheck", "--web.listen-address", address)
            assert command(*asked)[:2] == (0, f"healthy: http://{address}/-/healthy: HTTP 200\n")
    status, said, _ = command(*asked)
    asks = "is an exporter running there? --web.listen-address names its address"
    assert (status, said) == (1, f"unhealthy: http://{address}/-/healthy: Connection refused; {asks}\n")


def test_healthcheck_says_what_it_met_where_no_exporter_answers() -> None:
    asks = "is an exporter running there? --web.listen-address names its address"
    with SimulatedPbx(DemoSettings()) as pbx:
        address = f"127.0.0.1:{pbx.port}"
        status, said, _ = command("healthcheck", "--web.listen-address", address)
        assert (status, said) == (1, f"unhealthy: http://{address}/-/healthy: the answer is not HTTP; {asks}\n")
        arguments, environ = flags(pbx)
        with exporter(*arguments, environ=environ) as process:
            address = f"127.0.0.1:{process.port}"
            asked = ("healthcheck", "--web.listen-address", address, "--web.route-prefix", "/pbx")
            status, said, _ = command(*asked)
    met = f"unhealthy: http://{address}/pbx/-/healthy: HTTP 404; is its path another? --web.route-prefix names it\n"
    assert (status, said) == (1, met)


def test_healthcheck_asks_over_tls_and_takes_a_wanted_password_for_a_sign_of_life(tmp_path: Path) -> None:
    cert, key = Authority().issue("exporter", "localhost").write(tmp_path, "exporter")
    web = tmp_path / "web.yml"
    hashed = "$2b$04$" + "." * 53
    web.write_text(
        f"tls_server_config: {{cert_file: {cert}, key_file: {key}}}\nbasic_auth_users: {{prometheus: {hashed}}}\n"
    )
    with SimulatedPbx(DemoSettings()) as pbx:
        arguments, environ = flags(pbx)
        with exporter(*arguments, "--web.config.file", str(web), environ=environ) as process:
            asked = ("healthcheck", "--web.listen-address", f":{process.port}", "--web.config.file", str(web))
            assert command(*asked)[:2] == (
                0,
                f"healthy: https://127.0.0.1:{process.port}/-/healthy: HTTP 401\n",
            )
            assert command("healthcheck", "--web.listen-address", f":{process.port}")[0] == 1


def test_doctor_finds_nothing_to_mend_where_nothing_is_missing() -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        arguments, environ = flags(pbx)
        status, text, _ = command("doctor", *arguments, environ=environ)
    assert (status, text.endswith("\nNothing to fix.\n")) == (0, True)
    assert "  security    yes\n" in text
    assert "  originate   can start calls, at your cost\n" in text


def test_doctor_names_the_rights_that_are_missing() -> None:
    poor = User("poor", "s3cret", read=frozenset(), write=classes("system"))
    with SimulatedPbx(DemoSettings(), users=[poor]) as pbx:
        address = ("--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", poor.name)
        status, text, _ = command("doctor", *address, environ={"AMI_EXPORTER_AMI_SECRET": poor.secret})
    assert status == 1
    assert re.search(r"^fax +permission missing +write=reporting brings FAXStats$", text, re.MULTILINE)
    to_fix = text.partition("\nTo fix:\n")[2]
    assert "write=reporting is missing" in to_fix
    assert "read=security is missing" in to_fix
    assert poor.secret not in text


def test_doctor_ends_with_its_table_and_the_verdict_and_prints_eventfilter_lines_only_when_asked() -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        arguments, environ = flags(pbx)
        _, text, _ = command("doctor", *arguments, environ=environ)
        _, filtered, _ = command("doctor", "--eventfilter", *arguments, environ=environ)
    sections = text.split("\n\n")
    at = [number for number, section in enumerate(sections) if section.startswith("COLLECTOR ")]
    assert at == [len(sections) - 3]
    assert sections[-2].startswith("Not on this server, which is not a fault: ")
    assert sections[-1] == "Nothing to fix.\n"
    assert "eventfilter" not in text
    assert "\neventfilter" in filtered


def test_doctor_of_the_readmes_own_user_proposes_no_dangerous_right() -> None:
    readme = User("readme", "s3cret", classes("system,call,agent,reporting,security"), classes("reporting"))
    with SimulatedPbx(DemoSettings(), users=[readme]) as pbx:
        address = ("--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", readme.name)
        status, text, _ = command("doctor", *address, environ={"AMI_EXPORTER_AMI_SECRET": readme.secret})
    assert (status, text.endswith("\nNothing to fix.\n")) == (0, True)
    assert set(re.findall(r"write(?: = |=)([\w,]+)", text)) == {"reporting", "system", "reporting,system"}
    assert re.search(r"^agents +left out ", text, re.MULTILINE)
    assert re.search(r"^parking +left out ", text, re.MULTILINE)
    assert re.search(r"^canary +off +call,reporting +opt-in", text, re.MULTILINE)


def test_doctor_of_a_pbx_without_events_asks_for_no_right_to_read_them(tmp_path: Path) -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        ours = tmp_path / "ours.yml"
        ours.write_text(
            f"targets: {{quiet: {{address: '127.0.0.1:{pbx.port}', username: demo, secret: demo, events: false}}}}\n"
        )
        status, text, _ = command("doctor", "--config.file", str(ours), "quiet")
    assert (status, "Events are off for this target" in text, "eventfilter" in text) == (0, True, False)


@pytest.mark.parametrize("name", ["doctor", "capture"])
def test_without_a_session_a_command_says_so_and_names_no_secret(name: str) -> None:
    with SimulatedPbx(DemoSettings(), reject_delay=0.0) as pbx:
        arguments, _ = flags(pbx)
        status, out, err = command(name, *arguments, environ={"AMI_EXPORTER_AMI_SECRET": "wrong-on-purpose"})
    said = out if name == "doctor" else err  # a transcript goes into a file, what went wrong to the terminal
    assert status == 1
    assert "default: no session with 127.0.0.1:" in said
    assert "check username and secret" in said
    assert "wrong-on-purpose" not in out + err


def test_capture_writes_every_list_of_the_pbx_and_nobodys_name() -> None:
    with SimulatedPbx(DemoSettings(seed=3)) as pbx:
        arguments, environ = flags(pbx)
        status, text, _ = command("capture", *arguments, environ=environ)
        queues = [queue.name for queue in pbx.scene.world.queues]
    assert (status, text.startswith("capture: 1\n")) == (0, True)
    assert "action: QueueStatus\n\nevent: QueueParams\n" in text
    assert [name for name in queues if f"queue: {name}\n" in text] == []


def test_an_address_that_is_taken_ends_serve_with_one_line() -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        arguments, environ = flags(pbx)
        taken = f"127.0.0.1:{pbx.port}"
        status, _, log = command("serve", *arguments, "--web.listen-address", taken, environ=environ)
    assert status == 1
    assert 'msg="cannot serve"' in log
    assert taken in log
