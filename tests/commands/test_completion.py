"""Completion: what may follow, and that bash, zsh and fish ask for it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ami_exporter.commands.completion import SCRIPTS, follow
from ami_exporter.commands.flags import COMMANDS
from tests.support.exporter_process import clean_environ


def words(*so_far: str) -> list[str]:
    return [word for word, _ in follow(" ".join(("ami-exporter", *so_far)))]


def test_what_may_follow_is_a_command_a_flag_or_one_of_its_words() -> None:
    assert words("d") == ["demo", "doctor"]
    assert [word for word in words("") if not word.startswith("-")] == list(COMMANDS)
    assert words("scrape", "--ami.s") == ["--ami.secret-file"]
    assert words("doctor", "--ev") == ["--eventfilter"]
    assert words("--log.level", "w") == ["warning"]
    assert words("scrape", "--log.level=w") == ["--log.level=warning"]
    assert words("completion", "z") == ["zsh"]
    assert words("serve", "--config.file", "") == []
    assert words("nonsense", "--") == []
    assert "--seed" not in words("serve", "--")
    assert words("--v") == ["--version"]
    assert dict(follow("ami-exporter sc"))["scrape"] == COMMANDS["scrape"].summary


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    """The environment of a shell that finds the program."""
    program = tmp_path / "bin" / "ami-exporter"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ami_exporter "$@"\n')
    program.chmod(0o755)
    return {**clean_environ(), "PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}


def in_bash(line: str, programs: dict[str, str], tmp_path: Path) -> list[str]:
    """What bash offers for a line, which it parts at blanks and equals signs."""
    script = tmp_path / "completion.bash"
    script.write_text(SCRIPTS["bash"])
    call = f"source {script}; COMP_LINE='{line}'; COMP_POINT={len(line)}; _ami_exporter ami-exporter; "
    call += 'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=True, timeout=30, env=programs)
    return done.stdout.split()


def test_bash_completes_commands_flags_and_their_words(programs: dict[str, str], tmp_path: Path) -> None:
    assert in_bash("ami-exporter d", programs, tmp_path) == ["demo", "doctor"]
    assert in_bash("ami-exporter scrape --ami.s", programs, tmp_path) == ["--ami.secret-file"]
    assert in_bash("ami-exporter --log.level w", programs, tmp_path) == ["warning"]
    assert in_bash("ami-exporter --log.level=w", programs, tmp_path) == ["warning"]
    assert in_bash("ami-exporter completion z", programs, tmp_path) == ["zsh"]
    assert in_bash("ami-exporter --config.file my", programs, tmp_path) == []  # so that bash offers files


def test_fish_completes_commands_and_their_words(programs: dict[str, str], tmp_path: Path, fish_program: Path) -> None:
    script = tmp_path / "completion.fish"
    script.write_text(SCRIPTS["fish"])
    (tmp_path / "config.yml").touch()
    asked = {
        "ami-exporter do": ["doctor"],
        "ami-exporter --log.level w": ["warning"],
        "ami-exporter --log.level=w": ["--log.level=warning"],
    }
    asked |= {
        "ami-exporter check --config.file con": ["config.yml"],
        "ami-exporter scrape --ami.s": ["--ami.secret-file"],
    }
    for line, expected in asked.items():
        text = f"source {script}; complete -C '{line}'"
        done = subprocess.run(
            [fish_program, "-c", text],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            env=programs,
            cwd=tmp_path,
        )
        assert [found.split("\t")[0] for found in done.stdout.splitlines()] == expected


def test_zsh_completes_commands_and_their_words(programs: dict[str, str], tmp_path: Path, zsh_program: Path) -> None:
    """By its own completion system, in a terminal of its own: each Tab writes the one word that fits."""
    (tmp_path / "_ami-exporter").write_text(SCRIPTS["zsh"])
    (tmp_path / "config.yml").touch()
    (tmp_path / ".zshrc").write_text(
        f"fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -u -D; PS1='READY> '; "
        'show() { print -r -- "begin=" $BUFFER " =end" }; zle -N show; bindkey "^X" show\n'
    )
    asked = {
        "ami-exporter doc": "doctor",
        "ami-exporter --log.level w": "warning",
        "ami-exporter --log.level=w": "--log.level=warning",
        "ami-exporter scrape --ami.s": "--ami.secret-file",
        "ami-exporter check --config.file con": "config.yml",
    }
    for line, expected in asked.items():
        with terminal(zsh_program, {**programs, "TERM": "dumb"}, tmp_path) as keys:
            until(keys, b"READY> ")
            os.write(keys, f"{line}\t\x18".encode())
            assert until(keys, b"=end").rpartition("begin=")[2].split()[-2] == expected


@contextmanager
def terminal(program: Path, environ: dict[str, str], folder: Path) -> Iterator[int]:
    """A shell that talks to a terminal; gives the other end of that."""
    keys, screen = pty.openpty()
    process = subprocess.Popen(
        [program, "-i"], stdin=screen, stdout=screen, stderr=screen, env=environ, cwd=folder, start_new_session=True
    )
    os.close(screen)
    try:
        yield keys
    finally:
        process.kill()
        process.wait(10)
        os.close(keys)


def until(keys: int, mark: bytes) -> str:
    """What the terminal shows, up to a mark."""
    seen = b""
    deadline = time.monotonic() + 30
    while mark not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([keys], [], [], 1.0)[0]:
            seen += os.read(keys, 4096)
    return seen.decode()
