"""Completion of the command line: the possible words, and the scripts through which bash, zsh and fish ask for them.

A script runs `ami-exporter complete` with the line so far in COMP_LINE. Each line of the answer is a word, a tab and
its meaning; an empty answer means file names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ami_exporter.commands.flags import COMMANDS, OK
from ami_exporter.commands.options import Options, Run

SCRIPTS: Final = {
    "bash": r"""# source <(ami-exporter completion bash)
_ami_exporter() {
  mapfile -t COMPREPLY < <(COMP_LINE="${COMP_LINE:0:COMP_POINT}" "$1" complete 2>/dev/null | cut -f1)
  COMPREPLY=("${COMPREPLY[@]#*=}")
}
complete -o default -F _ami_exporter ami-exporter
""",
    "zsh": r"""#compdef ami-exporter
# ami-exporter completion zsh > "${fpath[1]}/_ami-exporter"
_ami_exporter() {
  local -a found=("${(@f)$(COMP_LINE="${(j: :)words[1,CURRENT]}" "$words[1]" complete 2>/dev/null)}")
  [[ -z $found[1] ]] && { compset -P '*='; _files; return }
  found=("${(@)found//:/\\:}") found=("${(@)found/$'\t'/:}")
  _describe ami-exporter found
}
if [[ $funcstack[1] == _ami-exporter ]]; then _ami_exporter "$@"; else compdef _ami_exporter ami-exporter; fi
""",
    "fish": r"""# ami-exporter completion fish > ~/.config/fish/completions/ami-exporter.fish
function __ami_exporter
  set -l words (commandline -opc)
  env COMP_LINE=(commandline -cp) $words[1] complete 2>/dev/null | string match '*'
  or __fish_complete_path (commandline -ct)
end
complete -c ami-exporter -f -a '(__ami_exporter)'
""",
}


def completion(options: Options, run: Run) -> int:
    """Print the completion script for a shell."""
    run.out.write(SCRIPTS[options.shell])
    return OK


def complete(options: Options, run: Run) -> int:  # noqa: ARG001 - all commands have this signature
    """Print the completions of the last word of COMP_LINE."""
    run.out.writelines(f"{word}\t{meaning}\n" for word, meaning in follow(run.environ.get("COMP_LINE", "")))
    return OK


def follow(line: str) -> Iterator[tuple[str, str]]:
    """Yield the completions of the last word of a line, with their meanings."""
    *before, last = [*line.split(), *([""] if line[-1:].isspace() else [])][1:] or [""]
    flag, equals, _ = last.partition("=")
    for word, meaning in _possible([*before, flag] if equals else before):
        whole = f"{flag}={word}" if equals else word
        if whole.startswith(last):
            yield whole, meaning


def _possible(before: Sequence[str]) -> Iterator[tuple[str, str]]:
    named = bool(before) and not before[0].startswith("-")
    command = COMMANDS.get(before[0] if named else "serve")
    flags = {f"--{flag.name}": flag for flag in command.flags} if command else {}
    wanted = flags.get(before[-1]) if before else None
    if wanted is not None and wanted.parse is not None:
        yield from ((word, "") for word in wanted.choices)
        return
    if not before:
        yield from ((command.name, command.summary) for command in COMMANDS.values())
    if command is not None:
        yield from ((word, command.positional) for word in (command.choices if len(before) == 1 else ()))
        yield from ((name, flag.help) for name, flag in flags.items())
        yield from (("--help", "show help"), ("--version", "show the version"))
