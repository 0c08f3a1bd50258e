"""Pictures of every board over every scene of board_scenes, at two widths, light and dark.

`python -m tests.support.board_pictures --renderer PROGRAM --prometheus URL FOLDER` asks a program that draws a board's
JSON (`--dashboard --prometheus --out --width --theme --from --to --var NAME=VALUE --expand-rows`) for each picture. It
prints the panels of each that had no data or an error, as the program told them.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from grafana.boards import BOARDS
from grafana.build import FOLDER as DASHBOARDS
from tests.support.dashboards import is_of_one_pbx

WIDTHS, THEMES = (1280, 1920), ("dark", "light")
SECONDS = 180.0
BAD = re.compile(r"EMPTY|ERROR|.*\bNaN\b|.*-> ERROR")
SCENES: dict[str, tuple[str, ...]] = {
    "one": ("4711",),
    "pair": ("hamburg",),
    # One that is well, one with a wrong password, one that flaps, one with few rights.
    "fleet": ("berlin-pbx01", "porto-pbx03", "riga-pbx04", "riga-pbx07"),
    "dead": ("leipzig",),
    "quiet": ("night",),
    "real": ("asterisk22",),
}
"""Each scene's PBXs for the boards that show one."""


@dataclass(frozen=True)
class Picture:
    """One board over one scene, or over one PBX of it."""

    uid: str
    scene: str
    pbx: str
    width: int
    theme: str

    @property
    def name(self) -> str:
        """File name without its end."""
        about = "-".join(part for part in (self.scene, self.pbx) if part)
        return f"{self.uid.removeprefix('asterisk-')}-{about}-{self.width}-{self.theme}"

    def variables(self) -> Iterator[str]:
        """Choices on top of the board."""
        yield f"job={self.scene}"
        if self.pbx:
            yield f"instance={self.pbx}"


def pictures(options: argparse.Namespace) -> Iterator[Picture]:
    """All of them, or those that the options leave."""
    for scene, board in product(options.scene, (board.render() for board in BOARDS)):
        if board["uid"].removeprefix("asterisk-") in options.board:
            for pbx in SCENES[scene] if is_of_one_pbx(board) else ("",):
                for width, theme in product(options.width, options.theme):
                    yield Picture(board["uid"], scene, pbx, width, theme)


def draw(picture: Picture, options: argparse.Namespace) -> str:
    """Write the picture; answers what the program said of its panels."""
    command = [options.renderer, "--dashboard", DASHBOARDS / f"{picture.uid}.json", "--prometheus", options.prometheus]
    command += ["--out", options.folder / f"{picture.name}.png", "--width", picture.width, "--theme", picture.theme]
    command += [f"--from={options.begin}", f"--to={options.end}"]
    command += [part for variable in picture.variables() for part in ("--var", variable)]
    command += ["--expand-rows"] if options.expand_rows else []
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.stdout + done.stderr


def _parser() -> argparse.ArgumentParser:
    boards = [board.uid.removeprefix("asterisk-") for board in BOARDS]
    parser = argparse.ArgumentParser(prog="python -m tests.support.board_pictures", description="Draw the boards.")
    parser.add_argument("folder", type=Path, help="where pictures are written")
    parser.add_argument("--renderer", type=Path, required=True, metavar="PROGRAM", help="draws a board's JSON")
    parser.add_argument("--prometheus", required=True, metavar="URL")
    parser.add_argument("--scene", action="append", choices=SCENES, help="default: all")
    parser.add_argument("--board", action="append", choices=boards, help="default: all")
    parser.add_argument("--width", action="append", type=int, help=f"default: {WIDTHS}")
    parser.add_argument("--theme", action="append", choices=THEMES, help="default: both")
    parser.add_argument("--from", dest="begin", default="now-30m", metavar="TIME")
    parser.add_argument("--to", dest="end", default="now", metavar="TIME")
    parser.add_argument("--expand-rows", action="store_true", help="open the folded rows")
    parser.set_defaults(default_board=boards)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Draw them all; answers 1 when a program failed to draw one."""
    options = _parser().parse_args(arguments)
    options.scene = options.scene or list(SCENES)
    options.board = options.board or options.default_board
    options.width = options.width or WIDTHS
    options.theme = options.theme or THEMES
    options.folder.mkdir(parents=True, exist_ok=True)
    failed = False
    for picture in pictures(options):
        said = draw(picture, options)
        bad = [line.partition(" | ")[0] for line in said.splitlines() if BAD.match(line)]
        sys.stdout.write("\n".join([f"# {picture.name}", *bad]) + "\n")
        sys.stdout.flush()
        if not (options.folder / f"{picture.name}.png").exists():
            sys.stdout.write(said)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
