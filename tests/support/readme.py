"""What README.md has people type: the AMI user, the one command, the steps of an installation."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

from ami_exporter.demo import User
from ami_exporter.demo.rights import classes
from tests.support.documents import REPO, blocks_of, commands

README = REPO / "README.md"
INSTALL = REPO / "docs" / "install.md"
PLACEHOLDER = "PASTE-THE-SECRET-HERE"


def user_block() -> str:
    """The section of manager.conf."""
    return next(block.text for block in blocks_of(README) if block.language == "ini")


def readme_user(secret: str = PLACEHOLDER) -> User:
    """The AMI user of that section, with a secret in the placeholder's place."""
    parser = ConfigParser()
    parser.read_string(user_block().replace(PLACEHOLDER, secret))
    (name,) = parser.sections()
    user = parser[name]
    return User(name, user["secret"], read=classes(user["read"]), write=classes(user["write"]))


def readme_command() -> tuple[dict[str, str], list[str]]:
    """The one command's flags, and its secret in the environment."""
    for block in blocks_of(README):
        for words in commands(block) if block.language == "sh" else ():
            if "=" in words[0] and words[1:2] == ["ami-exporter"]:
                name, _, value = words[0].partition("=")
                return {name: value}, words[2:]
    raise LookupError("no such command")


def steps(path: Path, needle: str, language: str = "sh") -> str:
    """The text of the one block of a page that holds this."""
    (found,) = (block.text for block in blocks_of(path) if block.language == language and needle in block.text)
    return found
