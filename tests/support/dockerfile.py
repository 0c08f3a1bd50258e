"""A Dockerfile as what it does: its instructions, and its build as a shell script."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; `stage` counts the FROM lines, from 0."""

    stage: int
    word: str
    argument: str


def parse(path: Path) -> list[Instruction]:
    """All instructions of a file, continued lines joined, comments left out."""
    kept = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    found: list[Instruction] = []
    stage = -1
    for line in kept.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, argument = line.strip().partition(" ")
            stage += word == "FROM"
            found.append(Instruction(stage, word, argument.strip()))
    return found


def argument(instructions: Sequence[Instruction], word: str) -> str:
    """The argument of the last instruction of that kind, the one that holds."""
    return [one.argument for one in instructions if one.word == word][-1]


def exec_form(text: str) -> list[str]:
    """`["program", "argument"]` as a list; the shell form, which needs a shell in the image, is refused."""
    found = json.loads(text)
    assert isinstance(found, list)
    return [str(word) for word in found]


def environment(instructions: Sequence[Instruction], path: str) -> dict[str, str]:
    """Variables of the last stage. path: PATH of the base image."""
    last = instructions[-1].stage
    found: dict[str, str] = {}
    for one in instructions:
        if one.word == "ENV" and one.stage == last:
            for pair in shlex.split(one.argument):
                name, _, value = pair.partition("=")
                found[name] = value.replace("${PATH}", path)
    return found


def labels(instructions: Sequence[Instruction]) -> dict[str, str]:
    """Labels of the image, the build's arguments filled in with their defaults."""
    arguments = dict(one.argument.split("=", 1) for one in instructions if one.word == "ARG")
    found: dict[str, str] = {}
    for one in instructions:
        if one.word == "LABEL":
            pairs = (pair.split("=", 1) for pair in shlex.split(one.argument))
            found |= {name: re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], value) for name, value in pairs}
    return found


def build_script(instructions: Sequence[Instruction], context: str) -> str:
    """The first stage as a script for `sh`, with the build context in the folder `context`."""
    return "set -e\n" + "\n".join(_steps(instructions, context)) + "\n"


def _steps(instructions: Sequence[Instruction], context: str) -> Iterator[str]:
    for one in instructions:
        if one.stage != 0:
            return
        if one.word == "WORKDIR":
            yield f"mkdir -p {one.argument}; cd {one.argument}"
        elif one.word == "COPY":
            *sources, target = one.argument.split()
            for source in sources:
                # COPY of a folder copies what is in it.
                yield f"mkdir -p {target}; cp -r {context}/{source}$([ ! -d {context}/{source} ] || echo /.) {target}"
        elif one.word == "RUN":
            yield one.argument
        else:
            assert one.word == "FROM", f"{one.word}: a step this script does not know"
