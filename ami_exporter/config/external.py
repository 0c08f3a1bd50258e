"""Reads what a target's settings point to: secrets, names, certificates; and checks what a target needs.

Works on plain values, beside the models, so that all faults are reported together.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ami_exporter.config.access import SECRETS, credential_source, source_advice, why_unreadable
from ami_exporter.config.ami_user import SECRET_KEYS
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.faults import Fault, counted, either, suggest
from ami_exporter.config.faults import Path as Steps
from ami_exporter.config.scalars import found, secret
from ami_exporter.config.secret import Secret

MAX_SECRET_FILE: Final = 8 * 1024
"""Bytes: a secret and its line end; a bigger file is not a secret."""
MAX_NAMES_FILE: Final = 4 * 1024 * 1024
"""Bytes: 100,000 queues of 40 bytes."""
MAX_CA_FILE: Final = 4 * 1024 * 1024
"""Bytes: the bundle of all public authorities has 0.2 MB."""
NAMES_COLUMNS: Final = 2
SETTING: Final = re.compile(r"\s*(secret|password)\s*[=:]")
"""How a line of manager.conf or of YAML begins."""
VARIABLE: Final = re.compile("[A-Z_][A-Z0-9_]*")
"""The usual form of a variable's name. Any other text may be a secret in the wrong place."""

Plain = Mapping[str, object]


@dataclass(slots=True)
class External:
    """What was read for one target. wrong: path below the target and message; elsewhere: faults of other files.

    odd: path and message of what is valid and probably a mistake.
    Relative paths start at `folder`, the configuration's folder.
    """

    folder: Path
    catalogue: Catalogue
    secrets: dict[Steps, Secret] = field(default_factory=dict)
    """By the path of the AMI user below the target; () for the one that polls."""
    names: dict[str, str] = field(default_factory=dict)
    wrong: list[tuple[Steps, str]] = field(default_factory=list)
    odd: list[tuple[Steps, str]] = field(default_factory=list)
    elsewhere: list[Fault] = field(default_factory=list)


def read_external(target: Plain, folder: Path, catalogue: Catalogue) -> External:
    """Read everything that a target, defaults included, points to."""
    result = External(folder, catalogue)
    for key in ("address", "username"):
        if key not in target:
            result.wrong.append(((), f"found no {key}, expected {key}: here or under defaults"))
    result.secrets[()] = _read_secret(target, (), result)
    _read_users(target, result)
    _check_ca_file(target, result)
    _check_sources(target, result)
    _check_trunks(target, result)
    names_file = target.get("names_file")
    if isinstance(names_file, str) and names_file:
        _read_names(names_file, result)
    return result


def _read_users(target: Plain, result: External) -> None:
    """Read the secrets of further users, which must differ from the user that polls."""
    for steps, user in _users(target):
        result.secrets[steps] = _read_secret(user, steps, result)
        name = user.get("username")
        if isinstance(name, str) and name == target.get("username"):
            message = "found the user that polls, expected another one, with this right alone"
            result.wrong.append(((*steps, "username"), message))
    if target.get("canaries") and target.get("events") is False:
        message = "found canaries without events, expected events: true: only events tell what became of a call"
        result.wrong.append((("canaries",), message))


def _users(target: Plain) -> Iterator[tuple[Steps, Plain]]:
    user, canaries = target.get("command_user"), target.get("canaries")
    if isinstance(user, dict):
        yield ("command_user",), user
    for name, canary in canaries.items() if isinstance(canaries, dict) else ():
        caller = canary.get("user") if isinstance(canary, dict) else None
        if isinstance(caller, dict):
            yield ("canaries", name, "user"), caller


def _read_secret(given_by: Plain, at: Steps, result: External) -> Secret:
    """Read the secret of the mapping at this path, which must have exactly one of SECRET_KEYS."""
    given = [key for key in SECRET_KEYS if key in given_by]
    if len(given) != 1:
        what = " and ".join(given) if given else "no secret"
        path: Steps = (*at, given[1]) if given else at
        result.wrong.append((path, f"found {what}, expected exactly one of secret, secret_file, secret_env"))
        return Secret("")
    key, value = given[0], given_by[given[0]]
    if not isinstance(value, str) or not value:
        return Secret("")  # the model reports it
    if key == "secret":
        return Secret(value)
    path = (*at, key)
    text = (_from_env if key == "secret_env" else _from_file)(value, path, result)
    if text is not None:
        try:
            return Secret(secret(text), _again(value, path, result) if key == "secret_file" else None)
        except ValueError as error:
            result.wrong.append((path, f"in what is named here {error}"))
    return Secret("")


def _again(name: str, path: Steps, result: External) -> Callable[[], str | None]:
    """Return a function that reads the secret's file again, after a rotation."""
    folder, catalogue = result.folder, result.catalogue

    def read() -> str | None:
        text = _from_file(name, path, External(folder, catalogue))
        try:
            return None if text is None else secret(text)
        except ValueError:
            return None

    return read


def _from_env(name: str, path: Steps, result: External) -> str | None:
    text = result.catalogue.environ.get(name)
    if text:
        return text
    if text is None and not VARIABLE.fullmatch(name):
        dollar = ", without $" if name.startswith("$") else ""
        message = f"no environment variable has this name, expected the name of one, in capitals{dollar}"
    else:
        state = "is empty" if text == "" else "is not set"
        message = f"the environment variable named here {state}, expected the secret in it"
    result.wrong.append((path, message))
    return None


def _from_file(name: str, path: Steps, result: External) -> str | None:
    text = _read_text(path, _secret_place(name, result), MAX_SECRET_FILE, result)
    if text is None:
        return None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        result.wrong.append((path, "the file named here is empty, expected the secret in it"))
        return None
    if SETTING.match(text):
        message = "the file named here holds a line as in manager.conf, and all of it is taken as the secret"
        result.odd.append((path, f"{message}; expected the secret alone"))
    return text


def _secret_place(name: str, result: External) -> str:
    """Return the file to read: outside the unit, the source of a file that systemd hands over."""
    source = credential_source(name)
    if source is not None:
        try:
            result.catalogue.read_file(Path(name), 1)
        except FileNotFoundError:
            return str(source)
        except OSError:
            pass  # reported when it is read
    return name


def _check_ca_file(target: Plain, result: External) -> None:
    tls = target.get("tls")
    name = tls.get("ca_file") if isinstance(tls, dict) else None
    if not isinstance(name, str) or not name:
        return
    text = _read_text(("tls", "ca_file"), name, MAX_CA_FILE, result)
    if text is not None and "-----BEGIN CERTIFICATE-----" not in text:
        message = "the file named here holds no certificate, expected PEM (-----BEGIN CERTIFICATE-----)"
        result.wrong.append((("tls", "ca_file"), message))


def _check_sources(target: Plain, result: External) -> None:
    collectors = target.get("collectors")
    for name, collector in collectors.items() if isinstance(collectors, dict) else ():
        source = collector.get("source") if isinstance(collector, dict) else None
        valid = result.catalogue.collectors.get(name)
        if not isinstance(source, str) or valid is None or source in valid:
            continue
        expected = either(valid) + suggest(source, valid) if valid else "no source: this collector has no choice"
        result.wrong.append((("collectors", name, "source"), f"found {found(source)}, expected {expected}"))


def _check_trunks(target: Plain, result: External) -> None:
    trunks = target.get("trunks")
    seen: dict[str, int] = {}
    for index, trunk in enumerate(trunks if isinstance(trunks, list) else ()):
        name = trunk.get("name") if isinstance(trunk, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            message = f"found a name again (first is trunks[{seen[name]}]), expected each name once"
            result.wrong.append((("trunks", index, "name"), message))
        seen.setdefault(name, index)


def _read_names(name: str, result: External) -> None:
    text = _read_text(("names_file",), name, MAX_NAMES_FILE, result)
    if text is None:
        return
    lines = csv.reader(text.splitlines())
    try:
        for row in lines:
            if not row or row[0].startswith("#"):
                continue
            cells = [cell.strip() for cell in row]
            if len(cells) != NAMES_COLUMNS or not all(cells):
                message = f"found {counted(len(cells), 'column')} or an empty one, expected two: id,name"
                result.elsewhere.append(Fault(name, lines.line_num, 1, message))
            elif cells[0] in result.names:
                message = "found an id a second time, expected each id once"
                result.elsewhere.append(Fault(name, lines.line_num, 1, message))
            else:
                result.names[cells[0]] = cells[1]
    except csv.Error as error:
        result.elsewhere.append(Fault(name, lines.line_num, 1, f"not valid CSV: {error}"))


def _read_text(path: Steps, name: str, bound: int, result: External) -> str | None:
    try:
        data = result.catalogue.read_file(result.folder / name, bound + 1)
        if len(data) > bound:
            result.wrong.append((path, f"the file named here has more than {bound} bytes, expected fewer"))
            return None
        return data.decode("utf-8-sig")
    except OSError as error:
        # The message omits the name, which may be the secret itself in the wrong place.
        why = why_unreadable(error, result.folder / name)
        if Path(name).parent == SECRETS:
            why += source_advice(Path(name))
        base = "" if name.startswith("/") else "; a relative path starts at the configuration's folder"
        if name.startswith("~"):
            base = "; ~ is not expanded: write the whole path"
        result.wrong.append((path, f"the file named here cannot be read: {why}{base}"))
    except UnicodeDecodeError:
        result.wrong.append((path, "the file named here is not UTF-8 text"))
    except ValueError:
        result.wrong.append((path, "found text with a NUL, expected the path of a file"))
    return None
