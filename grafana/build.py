"""`python -m grafana.build` writes every board as JSON into grafana/dashboards; `--check` only compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from grafana.board import Board
from grafana.boards import BOARDS

FOLDER = Path(__file__).parent / "dashboards"


def text_of(board: Board) -> str:
    """Answer the board's file, byte for byte."""
    return json.dumps(board.render(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the files, or with --check name those that differ from the boards' source. Answers the exit code."""
    wanted = {f"{board.uid}.json": text_of(board) for board in BOARDS}
    if arguments == ["--check"]:
        found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
        differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        for name in differing:
            sys.stderr.write(f"grafana/dashboards/{name}: differs from grafana/boards, run: python -m grafana.build\n")
        return 1 if differing else 0
    if arguments:
        sys.stderr.write("usage: python -m grafana.build [--check]\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
