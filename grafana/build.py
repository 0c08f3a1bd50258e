"""`python -m grafana.build` writes every board as JSON into grafana/dashboards; see --help for your own labels."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from grafana.board import Board
from grafana.boards import BOARDS
from grafana.selection import SITE

FOLDER = Path(__file__).parent / "dashboards"
TAKEN = {"datasource", "job", "instance", "queue", "trunk", "tenant", "exporter"}


def text_of(board: Board, labels: Sequence[str] = SITE) -> str:
    """Answer the board's file, byte for byte."""
    return json.dumps(board.render(labels), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the files, or with --check name those that differ from the boards' source. Answers the exit code."""
    options = _parser().parse_args(arguments)
    wanted = {f"{board.uid}.json": text_of(board, options.labels) for board in BOARDS}
    folder: Path = options.output or FOLDER
    if options.check:
        found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
        differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        for name in differing:
            sys.stderr.write(f"grafana/dashboards/{name}: differs from grafana/boards, run: python -m grafana.build\n")
        return 1 if differing else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grafana.build", description="Write the dashboards as JSON.")
    parser.add_argument(
        "--labels",
        type=_labels,
        default=SITE,
        metavar="NAME,…",
        help="labels of your targets that the boards let people choose by, widest first; default: site",
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="default: grafana/dashboards")
    parser.add_argument("--check", action="store_true", help="only compare; exit code 1 when a file differs")
    return parser


def _labels(text: str) -> tuple[str, ...]:
    names = tuple(text.split(",")) if text else ()
    for name in names:
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name):
            raise argparse.ArgumentTypeError(f"{name!r} is no label name")
        if name in TAKEN:
            raise argparse.ArgumentTypeError(f"{name!r} is on the boards already")
    return names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
