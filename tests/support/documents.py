"""The project's Markdown: fenced blocks, links, headings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block. line: where its text begins, from 1."""

    path: Path
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        """Name for a test: file and line."""
        return f"{self.path.relative_to(REPO)}:{self.line}"


def pages() -> list[Path]:
    """Every Markdown file of the project, the generated one included."""
    folders = (
        REPO / "docs",
        REPO / ".github",
        REPO / "deploy",
        REPO / "ami_exporter",
        REPO / "tests",
        REPO / "prometheus",
    )
    found = [path for folder in folders for path in folder.rglob("*.md")]
    return sorted([*REPO.glob("*.md"), *found])


def blocks(*languages: str) -> list[Block]:
    """All fenced blocks in one of these languages."""
    return [block for path in pages() for block in blocks_of(path) if block.language in languages]


def blocks_of(path: Path) -> Iterator[Block]:
    """The fenced blocks of one page."""
    text = path.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        indent, language, body = found.groups()
        lines = [line.removeprefix(indent) for line in body.splitlines()]
        yield Block(path, text.count("\n", 0, found.start(3)) + 1, language, "\n".join(lines) + "\n")


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """What GitHub makes of a page's headings."""
    plain = (re.sub(r"[`*]", "", heading).lower() for heading in HEADING.findall(prose(path)))
    return {re.sub(r"[^\w\- ]", "", text).replace(" ", "-") for text in plain}


def commands(block: Block) -> Iterator[list[str]]:
    """The words of each command of a shell block; prompts, comments, continuations and pipes are understood."""
    joined = block.text.replace("\\\n", " ")
    for line in joined.splitlines():
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in (*lexer, ";"):
            if set(word) <= set("|&;"):
                if words:
                    yield words
                words = []
            else:
                words.append(word)
