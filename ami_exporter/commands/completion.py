"""Completion scripts for bash, zsh and fish, made from the table of flags.

bash: `source <(ami-exporter completion bash)`; zsh: `ami-exporter completion zsh > "${fpath[1]}/_ami-exporter"`;
fish: `ami-exporter completion fish > ~/.config/fish/completions/ami-exporter.fish`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ami_exporter.commands.flags import COMMANDS, Command, Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROGRAM: Final = "ami-exporter"


def completion(shell: str) -> str:
    """Write the script for a shell (one of flags.SHELLS)."""
    return _SHELLS[shell]()


def _names(command: Command) -> list[str]:
    return [*(f"--{flag.name}" for flag in command.flags), "--help", "--version"]


def _all_flags() -> dict[str, Flag]:
    return {flag.name: flag for command in COMMANDS.values() for flag in command.flags}


def _bash() -> str:
    flags = _all_flags().values()
    values = [f"    --{flag.name}) words='{' '.join(flag.choices)}' ;;" for flag in flags if flag.choices]
    files = "|".join(f"--{flag.name}" for flag in flags if flag.complete == "file")
    other = "|".join(
        f"--{flag.name}" for flag in flags if flag.parse is not None and not flag.choices and flag.complete != "file"
    )
    cases = [
        f"      {command.name}) words='{' '.join([*command.choices, *_names(command)])}' ;;"
        for command in COMMANDS.values()
    ]
    return f"""# bash completion for {PROGRAM}
_ami_exporter() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}" words=''
  case "$prev" in
{chr(10).join(values)}
    {files}) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    {other}) return ;;
    *) case "${{COMP_WORDS[1]}}" in
{chr(10).join(cases)}
      *) words='{" ".join([*COMMANDS, *_names(COMMANDS["serve"])])}' ;;
    esac ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words='{" ".join([*COMMANDS, *_names(COMMANDS["serve"])])}'
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}}
complete -F _ami_exporter {PROGRAM}
"""


def _zsh() -> str:
    commands = "\n".join(f"    '{command.name}:{_plain(command.summary)}'" for command in COMMANDS.values())
    cases = "\n".join(_zsh_case(command) for command in COMMANDS.values())
    return f"""#compdef {PROGRAM}
_ami_exporter() {{
  local -a commands=(
{commands}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  local command=$words[2]
  case $command in
    -*) command=serve ;;
    *) shift words; (( CURRENT-- )) ;;
  esac
  case $command in
{cases}
  esac
}}
if [[ $funcstack[1] == _{PROGRAM} ]]; then _ami_exporter "$@"; else compdef _ami_exporter {PROGRAM}; fi
"""


def _zsh_case(command: Command) -> str:
    specs = [_zsh_flag(flag) for flag in command.flags] + ["'--help[show help]'", "'--version[show the version]'"]
    if command.choices:
        specs.append(f"'1:{command.positional}:({' '.join(command.choices)})'")
    return f"    {command.name}) _arguments " + " ".join(specs) + " ;;"


def _zsh_flag(flag: Flag) -> str:
    star = "*" if flag.repeat else ""
    text = f"{star}--{flag.name}[{_plain(flag.help)}]"
    if flag.parse is None:
        return f"'{text}'"
    action = f"({' '.join(flag.choices)})" if flag.choices else "_files" if flag.complete == "file" else " "
    return f"'{text}:{_plain(flag.metavar)}:{action}'"


def _fish() -> str:
    names = " ".join(COMMANDS)
    lines = [f"# fish completion for {PROGRAM}", f"complete -c {PROGRAM} -f"]
    first = f"not __fish_seen_subcommand_from {names}"
    lines += [
        f"complete -c {PROGRAM} -n '{first}' -a {command.name} -d '{_plain(command.summary)}'"
        for command in COMMANDS.values()
    ]
    for command in COMMANDS.values():
        when = f"__fish_seen_subcommand_from {command.name}"
        if command.name == "serve":
            when = f"{when}; or {first}"
        lines += [f"complete -c {PROGRAM} -n '{when}' {_fish_flag(flag)}" for flag in command.flags]
        if command.choices:
            lines.append(f"complete -c {PROGRAM} -n '{when}' -a '{' '.join(command.choices)}'")
    lines.append(f"complete -c {PROGRAM} -l help -d 'show help'")
    lines.append(f"complete -c {PROGRAM} -l version -d 'show the version'")
    return "\n".join(lines) + "\n"


def _fish_flag(flag: Flag) -> str:
    takes = "" if flag.parse is None else " -r -F" if flag.complete == "file" else " -x"
    if flag.choices:
        takes = f" -x -a '{' '.join(flag.choices)}'"
    return f"-l {flag.name}{takes} -d '{_plain(flag.help)}'"


def _plain(text: str) -> str:
    """Drop what the shells' quoting and zsh's specs would read as their own."""
    return text.translate(str.maketrans("[]:", "(),", "'`"))


_SHELLS: Final[Mapping[str, Callable[[], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
