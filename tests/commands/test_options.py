import subprocess
import sys

import pytest

from ami_exporter.commands.flags import COMMANDS
from ami_exporter.commands.options import Options, parse
from ami_exporter.config.amiflags import AmiFlags
from ami_exporter.config.secret import Secret
from ami_exporter.config.shard import Shard
from ami_exporter.web.flags import WebFlags

NOTHING: dict[str, str] = {}


def fault(capsys: pytest.CaptureFixture[str], argv: list[str], environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SystemExit) as ended:
        parse(argv, environ or {})
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[0]


def shown(capsys: pytest.CaptureFixture[str], argv: list[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        parse(argv, {})
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_nothing_at_all_is_serve_with_every_default() -> None:
    assert parse([], NOTHING) == Options(
        "serve",
        config_file=None,
        web=WebFlags((":15038",), "/metrics", None, None, None, "", systemd_socket=False),
        shard=None,
        ami=AmiFlags(),
        log_level="info",
        log_format="logfmt",
    )


def test_every_flag_of_serve() -> None:
    argv = [
        "serve",
        "--config.file=c.yml",
        "--web.listen-address",
        ":1",
        "--web.listen-address",
        "[::1]:2",
        "--web.telemetry-path",
        "/m",
        "--web.config.file",
        "web.yml",
        "--web.max-requests",
        "7",
        "--web.route-prefix",
        "/pre/",
        "--web.external-url",
        "https://x/y",
        "--web.systemd-socket",
        "--shard",
        "1/3",
        "--log.level",
        "debug",
        "--log.format",
        "json",
        "--ami.address",
        "pbx",
        "--ami.username",
        "u",
        "--ami.secret-file",
        "s",
        "--ami.tls",
        "--ami.tls-ca-file",
        "ca.pem",
    ]
    assert parse(argv, NOTHING) == Options(
        "serve",
        config_file="c.yml",
        web=WebFlags((":1", "[::1]:2"), "/m", "web.yml", 7, "/pre", "https://x/y", systemd_socket=True),
        shard=Shard(1, 3),
        ami=AmiFlags("pbx", "u", None, "s", tls=True, tls_ca_file="ca.pem"),
        log_level="debug",
        log_format="json",
    )


def test_every_variable_of_serve_and_the_secret() -> None:
    environ = {
        "AMI_EXPORTER_CONFIG_FILE": "c.yml",
        "AMI_EXPORTER_WEB_LISTEN_ADDRESS": ":1, [::1]:2",
        "AMI_EXPORTER_WEB_TELEMETRY_PATH": "/m",
        "AMI_EXPORTER_WEB_CONFIG_FILE": "web.yml",
        "AMI_EXPORTER_WEB_MAX_REQUESTS": "7",
        "AMI_EXPORTER_WEB_ROUTE_PREFIX": "/pre/",
        "AMI_EXPORTER_WEB_EXTERNAL_URL": "https://x/y",
        "AMI_EXPORTER_WEB_SYSTEMD_SOCKET": "true",
        "AMI_EXPORTER_SHARD": "1/3",
        "AMI_EXPORTER_LOG_LEVEL": "debug",
        "AMI_EXPORTER_LOG_FORMAT": "json",
        "AMI_EXPORTER_AMI_ADDRESS": "pbx",
        "AMI_EXPORTER_AMI_USERNAME": "u",
        "AMI_EXPORTER_AMI_SECRET": "s3cret",
        "AMI_EXPORTER_AMI_TLS": "yes",
        "AMI_EXPORTER_AMI_TLS_CA_FILE": "ca.pem",
    }
    assert parse([], environ) == Options(
        "serve",
        config_file="c.yml",
        web=WebFlags((":1", "[::1]:2"), "/m", "web.yml", 7, "/pre", "https://x/y", systemd_socket=True),
        shard=Shard(1, 3),
        ami=AmiFlags("pbx", "u", Secret("s3cret"), None, tls=True, tls_ca_file="ca.pem"),
        log_level="debug",
        log_format="json",
    )


def test_a_flag_beats_its_variable_and_an_empty_variable_is_none() -> None:
    environ = {
        "AMI_EXPORTER_WEB_LISTEN_ADDRESS": ":1",
        "AMI_EXPORTER_WEB_SYSTEMD_SOCKET": "true",
        "AMI_EXPORTER_LOG_LEVEL": "",
    }
    options = parse(["--web.listen-address", ":9", "--no-web.systemd-socket"], environ)
    assert options.web.listen_addresses == (":9",)
    assert options.web.systemd_socket is False
    assert options.log_level == "info"


def test_a_flag_for_the_secrets_file_beats_the_secret_of_the_environment() -> None:
    environ = {"AMI_EXPORTER_AMI_SECRET": "s3cret", "AMI_EXPORTER_AMI_USERNAME": "u"}
    options = parse(["--ami.address", "pbx", "--ami.secret-file", "f"], environ)
    assert (options.ami.secret, options.ami.secret_file) == (None, "f")
    assert options.ami.sources == {
        "address": "--ami.address",
        "username": "AMI_EXPORTER_AMI_USERNAME",
        "secret_file": "--ami.secret-file",
    }


def test_two_secrets_in_the_environment_are_one_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"AMI_EXPORTER_AMI_SECRET": "s3cret", "AMI_EXPORTER_AMI_SECRET_FILE": "f"}
    assert fault(capsys, ["--ami.address", "pbx"], environ) == (
        "ami-exporter serve: AMI_EXPORTER_AMI_SECRET and AMI_EXPORTER_AMI_SECRET_FILE: found both, expected one of them"
    )


def test_what_is_missing_beside_a_variable_is_named_by_its_variable(capsys: pytest.CaptureFixture[str]) -> None:
    assert fault(capsys, [], {"AMI_EXPORTER_AMI_USERNAME": "u"}) == (
        "ami-exporter serve: AMI_EXPORTER_AMI_ADDRESS: not given, expected it beside AMI_EXPORTER_AMI_USERNAME"
    )


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["scrape", "pbx1", "--config.file=c"], Options("scrape", target="pbx1", config_file="c")),
        (["doctor"], Options("doctor")),
        (["doctor", "--eventfilter"], Options("doctor", eventfilter=True)),
        (["capture", "--config.file", "c", "pbx1"], Options("capture", target="pbx1", config_file="c")),
        (["check", "--web.config.file=w"], Options("check", web=WebFlags(config_file="w"))),
        (["check", "--sample=s", "--sample.command=c"], Options("check", sample="s", sample_command="c")),
        (["metrics"], Options("metrics", format="markdown")),
        (["metrics", "--format", "json"], Options("metrics", format="json")),
        (["healthcheck", "--timeout=5"], Options("healthcheck", timeout=5)),
        (["completion", "zsh"], Options("completion", shell="zsh")),  # noqa: S604 - a field of ours
    ],
)
def test_each_command_has_its_own_options(argv: list[str], expected: Options) -> None:
    assert parse(argv, NOTHING) == expected


def test_healthcheck_asks_below_the_path_of_the_external_url() -> None:
    assert parse(["healthcheck", "--web.external-url=https://h/pre/"], NOTHING).web.prefix == "/pre"


def test_what_gave_each_value_is_known() -> None:
    options = parse(["--config.file=c", "--log.level=debug"], {"AMI_EXPORTER_WEB_CONFIG_FILE": "w"})
    assert options.sources == {
        "config.file": "--config.file",
        "log.level": "--log.level",
        "web.config.file": "AMI_EXPORTER_WEB_CONFIG_FILE",
    }


def test_demo_has_its_sizes_and_the_web_flags() -> None:
    options = parse(
        ["demo", "--channels", "10", "--endpoints", "20", "--queues", "3", "--dialect", "1.1", "--seed", "5"], NOTHING
    )
    assert (options.channels, options.endpoints, options.queues, options.dialect, options.seed) == (10, 20, 3, "1.1", 5)
    assert options.web.listen_addresses == (":15038",)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["serv"],
            (
                "ami-exporter: found an unknown command, expected serve, demo, scrape, check, doctor, capture, "
                'metrics, healthcheck or completion; did you mean "serve"?'
            ),
        ),
        (
            ["--web.listen-adress=:1"],
            'ami-exporter serve: found an unknown flag; did you mean "--web.listen-address"?',
        ),
        (["--log.lev", "debug"], 'ami-exporter serve: found an unknown flag; did you mean "--log.level"?'),
        (
            ["--log.level", "inof"],
            ('ami-exporter serve: --log.level: expected debug, info, warning or error; did you mean "info"?'),
        ),
        (
            ["--web.listen-address", "15038"],
            "ami-exporter serve: --web.listen-address: expected [HOST]:PORT such as :15038",
        ),
        (
            ["--web.listen-address", "::1:80"],
            ("ami-exporter serve: --web.listen-address: expected an IPv6 address in brackets such as [::1]:15038"),
        ),
        (
            ["--web.listen-address", ":70000"],
            "ami-exporter serve: --web.listen-address: expected [HOST]:PORT such as :15038",
        ),
        (
            ["--web.telemetry-path", "metrics"],
            "ami-exporter serve: --web.telemetry-path: expected a path that begins with /",
        ),
        (
            ["--web.telemetry-path", "/probe"],
            (
                "ami-exporter serve: --web.telemetry-path: found a path that has another use, "
                "expected a path such as /metrics"
            ),
        ),
        (
            ["--web.external-url=/asterisk/"],
            "ami-exporter serve: --web.external-url: expected a URL such as https://host/asterisk/",
        ),
        (
            ["--web.route-prefix=/a/../b"],
            "ami-exporter serve: --web.route-prefix: expected a path of letters, digits and -._~/",
        ),
        (
            ["--web.telemetry-path=/m%20x"],
            "ami-exporter serve: --web.telemetry-path: expected a path of letters, digits and -._~/",
        ),
        (
            ["--web.max-requests", "-1"],
            "ami-exporter serve: --web.max-requests: expected a whole number from 0 to 100000",
        ),
        (
            ["--shard", "3/3"],
            "ami-exporter serve: --shard: expected I from 0 to 2: shards are counted from 0",
        ),
        (["--shard", "1-3"], "ami-exporter serve: --shard: expected I/N such as 0/3"),
        (["--config.file", ""], "ami-exporter serve: --config.file: found nothing, expected FILE"),
        (
            ["--ami.username", "u"],
            "ami-exporter serve: --ami.address: not given, expected it beside --ami.username",
        ),
        (["--ami.tls"], "ami-exporter serve: --ami.address: not given, expected it beside --ami.tls"),
        (["scrape", "a", "b"], "ami-exporter scrape: found 1 argument too many"),
        (["completion"], "ami-exporter completion: found no SHELL, expected bash, zsh or fish"),
        (
            ["completion", "fsh"],
            'ami-exporter completion: SHELL: expected bash, zsh or fish; did you mean "fish"?',
        ),
        (
            ["pbx.example.net"],
            (
                "ami-exporter: found an unknown command, expected serve, demo, scrape, check, doctor, capture, "
                "metrics, healthcheck or completion; a PBX is named by --ami.address"
            ),
        ),
        (
            ["10.0.0.5:5038"],
            (
                "ami-exporter: found an unknown command, expected serve, demo, scrape, check, doctor, capture, "
                "metrics, healthcheck or completion; a PBX is named by --ami.address"
            ),
        ),
        (
            ["/etc/ami-exporter/config.yml"],
            (
                "ami-exporter: found an unknown command, expected serve, demo, scrape, check, doctor, capture, "
                "metrics, healthcheck or completion; a file is named by --config.file"
            ),
        ),
        (
            ["config.yaml"],
            (
                "ami-exporter: found an unknown command, expected serve, demo, scrape, check, doctor, capture, "
                "metrics, healthcheck or completion; a file is named by --config.file"
            ),
        ),
        (
            ["version"],
            (
                "ami-exporter: found an unknown command, expected serve, demo, scrape, check, doctor, capture, "
                "metrics, healthcheck or completion; did you mean --version?"
            ),
        ),
        (["-V"], 'ami-exporter serve: found an unknown flag; did you mean "--version"?'),
        (["-v"], 'ami-exporter serve: found an unknown flag; did you mean "--version"?'),
        (["--Version"], 'ami-exporter serve: found an unknown flag; did you mean "--version"?'),
        (["-c", "x.yml"], "ami-exporter serve: found an unknown flag; a file is named by --config.file"),
        (["check", "x.yml"], "ami-exporter check: found 1 argument too many; a file is named by --config.file"),
        (
            ["serve", "pbx.example.net"],
            "ami-exporter serve: found 1 argument too many; a PBX is named by --ami.address",
        ),
        (["--ami.tls=true"], "ami-exporter serve: --ami.tls: found a value, expected the flag alone, or --no-ami.tls"),
        (["metrics", "--format"], "ami-exporter metrics: --format: found no value behind it, expected FORMAT"),
        (["--config.file"], "ami-exporter serve: --config.file: found no value behind it, expected FILE"),
    ],
)
def test_wrong_usage_is_told_in_one_line(capsys: pytest.CaptureFixture[str], argv: list[str], message: str) -> None:
    assert fault(capsys, argv) == message


def test_a_wrong_variable_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    message = fault(capsys, [], {"AMI_EXPORTER_WEB_SYSTEMD_SOCKET": "maybe"})
    assert message == "ami-exporter serve: AMI_EXPORTER_WEB_SYSTEMD_SOCKET: expected true or false"


@pytest.mark.parametrize(
    "argv",
    [
        ["--ami.secret=hunter2"],
        ["--ami.secret", "hunter2"],
        ["scrape", "--ami.secret", "hunter2"],
        ["--ami.password", "hunter2"],
        ["--secret=hunter2"],
        ["--password=hunter2"],
    ],
)
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(
    capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    message = fault(capsys, argv)
    assert "hunter2" not in message
    assert message.endswith(": a flag would show in the process list; use --ami.secret-file or AMI_EXPORTER_AMI_SECRET")


def test_variables_that_mean_nothing_are_warned_of_with_the_nearest() -> None:
    environ = {"AMI_EXPORTER_AMI_ADRESS": "x", "AMI_EXPORTER_SEED": "5", "PATH": "/bin"}
    assert parse([], environ).warnings == (
        'the environment variable AMI_EXPORTER_AMI_ADRESS means nothing here; did you mean "AMI_EXPORTER_AMI_ADDRESS"?',
    )


def test_what_kubernetes_sets_beside_a_service_of_our_name_is_no_warning() -> None:
    environ = {
        "AMI_EXPORTER_SERVICE_HOST": "10.0.0.1",
        "AMI_EXPORTER_SERVICE_PORT": "15038",
        "AMI_EXPORTER_SERVICE_PORT_METRICS": "15038",
        "AMI_EXPORTER_PORT": "tcp://10.0.0.1:15038",
        "AMI_EXPORTER_PORT_15038_TCP_ADDR": "10.0.0.1",
    }
    assert parse([], environ).warnings == ()


def test_the_environments_secret_never_prints() -> None:
    assert "hunter2" not in repr(parse([], {"AMI_EXPORTER_AMI_SECRET": "hunter2", "AMI_EXPORTER_AMI_ADDRESS": "pbx"}))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_fits_a_screen_and_names_every_flag(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text = shown(capsys, [name, "--help"])
    assert max(len(line) for line in text.splitlines()) <= 80
    assert len(text.splitlines()) <= 30
    for flag in COMMANDS[name].flags:
        assert f"--{flag.name}" in text


@pytest.mark.parametrize("argv", [["help", "doctor"], ["--help", "doctor"], ["-h", "doctor"]])
def test_help_of_a_command_is_asked_for_either_way_round(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert shown(capsys, argv) == shown(capsys, ["doctor", "--help"])


def test_the_help_of_the_program_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, ["--help"])
    assert len(text.splitlines()) <= 24
    assert all(f"  {name} " in text for name in COMMANDS)


@pytest.mark.parametrize("argv", [["--version"], ["scrape", "--version"]])
def test_the_version_is_told_everywhere(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert shown(capsys, argv).startswith("ami-exporter 0.")


def test_reading_the_command_line_loads_no_heavy_library() -> None:
    program = (
        "import sys; from ami_exporter.commands.options import parse; parse([], {}); "
        "sys.exit(' '.join({'regex', 'yaml', 'h11', 'prometheus_client'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
