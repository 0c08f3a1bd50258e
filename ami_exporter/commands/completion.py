"""Completion of the command line: what may follow some words, and the scripts by which bash, zsh and fish ask for it.

A script runs `ami-exporter complete WORD…` for the words so far. Each line of the answer is a word, a tab and what it
means; FILES alone stands for the names of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ami_exporter.commands.flags import COMMANDS, OK
from ami_exporter.commands.options import Options, Run

FILES: Final = "FILES"


def completion(options: Options, run: Run) -> int:
    """Print the script of a shell."""
    run.out.write(SCRIPTS[options.shell])
    return OK


def complete(options: Options, run: Run) -> int:
    """Print what the last of the words may become."""
    run.out.writelines(f"{word}\t{meaning}\n" for word, meaning in follow(options.words))
    return OK


def follow(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what the last of the words may become, with what it means. words: those after the program's name."""
    *before, last = _joined(words) or [""]
    flag, equals, start = last.partition("=")
    if equals:
        before, last = [*before, flag], start
    for word, meaning in _possible(before):
        if word.startswith(last) or word == FILES:
            yield (f"{flag}={word}" if equals and word != FILES else word), meaning


def _joined(words: Sequence[str]) -> list[str]:
    """Put together what bash parts at each equals sign."""
    found: list[str] = []
    for word in words:
        if found and (word == "=" or found[-1].endswith("=")):
            found[-1] += word
        else:
            found.append(word)
    return found


def _possible(before: Sequence[str]) -> Iterator[tuple[str, str]]:
    named = bool(before) and not before[0].startswith("-")
    command = COMMANDS.get(before[0] if named else "serve")
    flags = {f"--{flag.name}": flag for flag in command.flags} if command else {}
    wanted = flags.get(before[-1]) if before else None
    if wanted is not None and wanted.parse is not None:
        yield from ((word, "") for word in ((FILES,) if wanted.is_file else wanted.choices))
        return
    if not before:
        yield from ((command.name, command.summary) for command in COMMANDS.values())
    if command is not None:
        yield from ((word, command.positional) for word in (command.choices if len(before) == 1 else ()))
        yield from ((name, flag.help) for name, flag in flags.items())
        yield from (("--help", "show help"), ("--version", "show the version"))


SCRIPTS: Final = {
    "bash": r"""# source <(ami-exporter completion bash)
_ami_exporter() {
  mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)
  COMPREPLY=("${COMPREPLY[@]#*=}")
  if [ "${COMPREPLY[0]}" = FILES ]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}")
  fi
}
complete -F _ami_exporter ami-exporter
""",
    "zsh": r"""#compdef ami-exporter
# ami-exporter completion zsh > "${fpath[1]}/_ami-exporter"
_ami_exporter() {
  local -a lines found
  lines=("${(@f)$("${words[1]}" complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ $lines[1] == FILES* ]] && { compset -P '*='; _files; return }
  local line
  for line in $lines; do found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}"); done
  _describe ami-exporter found
}
if [[ $funcstack[1] == _ami-exporter ]]; then _ami_exporter "$@"; else compdef _ami_exporter ami-exporter; fi
""",
    "fish": r"""# ami-exporter completion fish > ~/.config/fish/completions/ami-exporter.fish
function __ami_exporter
  set -l words (commandline -opc) (commandline -ct)
  set -l found ($words[1] complete $words[2..] 2>/dev/null)
  if string match -q 'FILES*' -- $found[1]
    __fish_complete_path (commandline -ct)
  else
    printf '%s\n' $found
  end
end
complete -c ami-exporter -f -a '(__ami_exporter)'
""",
}
