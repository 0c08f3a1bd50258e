"""Slips of the first hour: configurations as people write them by mistake, and what the program must answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_HEAD: Final = "targets:\n  pbx:\n    address: pbx.example.net\n    username: ami_exporter\n"
_SECRET: Final = _HEAD + "    secret: "
_WHOLE: Final = _SECRET + "s3cret-1\n"


@dataclass(frozen=True, slots=True)
class Slip:
    """what: in words. at: LINE:COLUMN of the fault, or of the warning where the file is good. says: parts of it."""

    what: str
    text: str | bytes
    at: str
    says: tuple[str, ...]
    good: bool = False

    @property
    def data(self) -> bytes:
        """The file."""
        return self.text if isinstance(self.text, bytes) else self.text.encode()


def _slip(what: str, text: str | bytes, at: str, *says: str, good: bool = False) -> Slip:
    return Slip(what, text, at, says, good)


def _begins_with(sign: str) -> Slip:
    return _slip(f"a secret that begins with {sign}", f"{_SECRET}{sign}s3cret-1\n", "5:13", "in quotes")


def _setting(what: str, line: str, at: str, *says: str) -> Slip:
    return _slip(what, f"{_WHOLE}    {line}\n", at, *says)


SLIPS: Final = (
    _slip("a tab", "targets:\n\tpbx:\n\t\taddress: pbx.example.net\n", "2:1", "tab", "indent with spaces"),
    *map(_begins_with, "@%&*!|>[{`"),
    _slip("an open quote", f'{_SECRET}"s3cret-1\n    labels: {{site: berlin}}\n', "5:13", "opened here"),
    _slip("an open single quote", f"{_SECRET}'s3cret-1\n", "5:13", "opened here"),
    _slip("a secret with #", f"{_SECRET}ab #cd\n", "5:13", "comment", "in quotes", good=True),
    _slip("a secret that is a comment", f"{_SECRET}#s3cret\n", "5:12", "found nothing"),
    _slip("a comment as in manager.conf", f"{_SECRET}s3cret-1 ; ours\n", "5:13", "begins no comment", good=True),
    _slip("quotes of a web page", f"{_SECRET}\u201cs3cret-1\u201d\n", "5:13", "typographic quotes", good=True),
    _slip("a variable", f"{_SECRET}${{PBX_SECRET}}\n", "5:13", "use `secret_env: NAME`", good=True),
    _slip("a secret with a colon", f"{_SECRET}a: b\n", "5:14", "in quotes"),
    _slip("a secret of digits", f"{_SECRET}12345678\n", "5:13", "in quotes"),
    _slip("a secret yes", f"{_SECRET}yes\n", "5:13", "in quotes"),
    _slip("no secret", _HEAD, "2:3", "secret, secret_file, secret_env"),
    _slip("two secrets", f"{_WHOLE}    secret_file: /etc/secret\n", "6:18", "exactly one of"),
    _slip("a password", f"{_HEAD}    password: s3cret-1\n", "5:5", 'did you mean "secret"?'),
    _slip("a user", _WHOLE.replace("username", "user"), "4:5", 'did you mean "username"?'),
    _slip("a host", _WHOLE.replace("address", "host"), "3:5", 'did you mean "address"?'),
    _slip("an adress", _WHOLE.replace("address", "adress"), "3:5", 'did you mean "address"?'),
    _slip("a capital letter", _WHOLE.replace("username", "Username"), "4:5", 'did you mean "username"?'),
    _slip("a secret's file that is not there", f"{_HEAD}    secret_file: /etc/none\n", "5:18", "no such file"),
    _slip(
        "the service's credential before its start",
        f"{_HEAD}    secret_file: /run/credentials/ami-exporter.service/ami_none\n",
        "5:18",
        "install -m 600 /dev/stdin /etc/ami-exporter/secrets/none",
    ),
    _slip("a variable that is not set", f"{_HEAD}    secret_env: NOBODY_SET_IT\n", "5:17", "is not set"),
    _slip("a URL", _WHOLE.replace("pbx.ex", "http://pbx.ex"), "3:14", "pbx.example.net:5038"),
    _setting("a port", "port: 5038", "6:5", "the port belongs to the address"),
    _setting("names for trunks", "trunks: [telco]", "6:14", "{name: telco, match:"),
    _setting("a trunk without a technology", "trunks: [{name: a, match: telco}]", "6:31", "PJSIP/telco-a"),
    _setting("a collector as a setting", "queues: false", "6:5", "collectors: {queues: {enabled: false}}"),
    _setting("collectors as a list", "collectors: [queues]", "6:17", "collectors: {queues: {enabled: false}}"),
    _setting("a collector's name", "collectors: {queue: {enabled: false}}", "6:18", 'did you mean "queues"?'),
    _setting("a collector without", "collectors: {queues: no}", "6:26", "{enabled: true}"),
    _setting("a time without unit", "timeout: 5", "6:14", "9s"),
    _setting("a switch in quotes", 'events: "no"', "6:13", "expected true or false"),
    _setting("labels as a list", "labels: [site=berlin]", "6:13", "labels: {site: berlin}"),
    _setting("a label's name", "labels: {site-name: berlin}", "6:14", "letters, digits and underscores"),
    _setting("a label of digits", "labels: {rack: 7}", "6:20", "in quotes"),
    _slip("an address for a target", "targets:\n  pbx: 127.0.0.1\n", "2:8", "pbx1: {address: pbx1.example.net"),
    _slip("targets as a list", "targets:\n  - address: pbx\n", "2:3", "a name for each", "targets: {pbx1:"),
    _slip("target", _WHOLE.replace("targets", "target"), "1:1", 'did you mean "targets"?'),
    _slip("no targets", "targets:\n", "1:9", "expected at least one PBX"),
    _slip("a target beside targets", _WHOLE.replace("  pbx", "pbx"), "2:1", "below `targets:`, indented"),
    _slip("settings without a name", "address: pbx\n", "1:1", "below its name", "targets: {pbx1:"),
    _slip("a target twice", _WHOLE + _WHOLE.partition("\n")[2], "6:3", "a second time (first on line 2)"),
    _slip("one space too few", _WHOLE.replace("    username", "   username"), "4:4", "an indentation other than"),
    _slip(
        "spaces of a web page", _WHOLE.replace("    user", "\u00a0" * 4 + "user"), "4:1", "indent with ordinary spaces"
    ),
    _slip("no space after a colon", _WHOLE.replace("secret: ", "secret:"), "5:5", "a space after the key"),
    _slip("no colon", _WHOLE.replace("pbx:", "pbx"), "2:3", "a name without a colon"),
    _slip("equals signs", "targets:\n  pbx:\n    address = pbx\n    secret = a\n", "3:5", "`KEY: VALUE`"),
    _slip("nothing", "", "1:1", "targets: {pbx1: {address:"),
    _slip(
        "a dash before targets", "- " + _WHOLE.replace("\n", "\n  "), "1:1", "found a list", "targets: {pbx1: {address:"
    ),
    _slip("Prometheus' configuration", "scrape_configs:\n  - job_name: asterisk\n", "1:1", "is Prometheus' own"),
    _slip("the web configuration", "basic_auth_users:\n  alice: x\n", "1:1", "--web.config.file"),
    _slip(
        "manager.conf", "; ours\n\n[ami_exporter]\nsecret = s3cret-1\n", "3:1", "as in manager.conf", "targets: {pbx1:"
    ),
    _slip("an open brace", _HEAD.replace("targets:", "targets: {") + "\n", "1:10", "opened here"),
    _slip("no comma", "targets: {pbx: {address: pbx, username: x, secret: 'y' timeout: 9s}}\n", "1:56", "no comma"),
    _setting("an open bracket", "trunks: [{name: a, match: PJSIP/a}", "6:13", "opened here"),
    _setting("a trunk's channels", "trunks: PJSIP/telco", "6:13", "[{name: telco, match:"),
    _setting("trunks by name", "trunks: {telco: PJSIP/telco}", "6:13", "[{name: telco, match:"),
    _setting("TLS as a word", "tls: starttls", "6:10", "{ca_file: FILE}"),
    _setting("queues as a list", "collectors: {queues: {include: [sales, support]}}", "6:36", '"sales|support"'),
    _setting("tenants as a word", "tenants: AccountCode", "6:14", "tenants: {from: Tenantid}"),
    _setting("one number", 'destinations: {emergency: "112"}', "6:31", '["112"'),
    _slip(
        "a label's field misspelt",
        f"{_WHOLE}custom:\n  - action: DeviceStateList\n    item: DeviceStateChange\n    metrics:\n"
        "      - {name: asterisk_custom_x, type: gauge, help: X, value: count, labels: {state: Statte}}\n",
        "10:87",
        'did you mean "state"?',
    ),
    _slip("a home folder", f"{_HEAD}    secret_file: ~/pbx.secret\n", "5:18", "~ is not expanded"),
    _slip("a shell's variable", f"{_HEAD}    secret_env: $PBX_SECRET\n", "5:17", "without $"),
    _slip("Windows' UTF-16", _WHOLE.encode("utf-16"), "1:1", "UTF-16", "expected UTF-8"),
    _slip("Latin-1", f"{_WHOLE}    labels: {{site: Köln}}\n".encode("latin-1"), "6:1", "expected UTF-8"),
)

GOOD: Final = {
    "Windows' line ends": _WHOLE.replace("\n", "\r\n").encode(),
    "a byte order mark": b"\xef\xbb\xbf" + _WHOLE.encode(),
    "JSON": b'{"targets": {"pbx": {"address": "pbx", "username": "x", "secret": "y"}}}',
}
"""Looks odd, and is right."""
