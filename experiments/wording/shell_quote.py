"""Commands as a person types them, by the rules of the shell at hand. Lean: `dev.py` imports it.

On Windows nothing tells cmd from PowerShell. What both take is preferred; where they differ, both
ways are given. A command goes to its program by three rules there: the shell's own, PowerShell's
for programs, and CommandLineToArgvW's, by which the program takes it apart.
"""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import shutil
import sys
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePath

PLAIN = {
    "sh": re.compile(r"(?![=@])[\w./=:+@-]+"),
    "powershell": re.compile(r"(?![=@])[\w./\\=:+@-]+"),
    "cmd": re.compile(r"(?![=@])[\w./\\=:+@-]+"),
}
"""Shell -> words it takes as they are: zsh reads brackets as patterns, PowerShell commas as
lists, both an `=` or `@` in front as something of theirs."""
ALIVE = {
    "sh": re.compile(r'["$`!\\]'),
    "powershell": re.compile(r'["$`\u201c\u201d\u201e]'),
    "cmd": re.compile(r'["%]'),
}
"""Shell -> what means something within its double quotes."""
SINGLE = re.compile("(['\u2018\u2019\u201a\u201b])")
"""What PowerShell takes for a single quote."""
CARETED = re.compile(r'([()%!^"<>&|])')
"""What cmd sees outside of quotes, unless a caret is before it."""
PATTERN = re.compile(r"[\[\]*?]")
"""What PowerShell's `pushd` takes for a pattern, in quotes too."""
NAMES = {"powershell": "PowerShell", "cmd": "cmd", "sh": "sh"}
VERBATIM = "--%"
"""After it PowerShell hands the rest to the program as it stands: its versions differ in how they
pass a quote on."""


def at_hand(system: str = os.name, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the shells that what is printed may be typed into."""
    if system != "nt" or "MSYSTEM" in environment:  # Git's bash
        return ("sh",)
    return ("powershell", "cmd")


def quoted(text: str) -> str:
    """Return TEXT as one word, for notes that are read on other systems too.

    In double quotes, which every shell knows, unless it holds what these don't keep.
    """
    if PLAIN["sh"].fullmatch(text):
        return text
    mark = "'" if any(special in text for special in '"$`') else '"'
    return f"{mark}{text}{mark}"


def word(text: str, shell: str) -> str:
    """Return TEXT as one word for a program that is called in SHELL."""
    if PLAIN[shell].fullmatch(text):
        return text
    if shell == "cmd":
        return _cmd_word(text)
    if text and not ALIVE[shell].search(text) and not text.endswith("\\"):
        return f'"{text}"'
    inner = SINGLE.sub(r"\1\1", text) if shell == "powershell" else text.replace("'", "'\"'\"'")
    return f"'{inner}'"


def _cmd_word(text: str) -> str:
    quoted_word = _argument(text)
    return CARETED.sub(r"^\1", quoted_word) if ALIVE["cmd"].search(text) else quoted_word


def _argument(text: str) -> str:
    """Return TEXT in the quotes from which CommandLineToArgvW gets it back."""
    if PLAIN["cmd"].fullmatch(text):
        return text
    inner = re.sub(r'(\\*)"', r'\1\1\\"', text)
    return f'"{inner}{trailing(inner)}"'


def trailing(text: str) -> str:
    """Return the backslashes that TEXT ends with: before a quote each counts half."""
    return text[len(text.rstrip("\\")) :]


def line(words: Sequence[str], shell: str) -> str:
    """Return the line that calls a program, WORDS[0], with the others in SHELL."""
    program, rest = word(words[0], shell), words[1:]
    if shell != "powershell":
        return " ".join([program, *(word(argument, shell) for argument in rest)])
    call = f"& {program}" if program[0] in "'\"" else program
    if any('"' in argument or argument.endswith("\\") or not argument for argument in rest):
        return " ".join([call, VERBATIM, *map(_argument, rest)])
    return " ".join([call, *(word(argument, shell) for argument in rest)])


def command(words: Sequence[str], shells: Sequence[str] | None = None) -> str:
    """Return what to type to call a program, WORDS[0], with the others.

    Where SHELLS (default: those at hand) want it differently, each way with the shell's name.
    """
    return _by_shell({shell: line(words, shell) for shell in shells or at_hand()})


def enter(folder: PurePath, shells: Sequence[str] | None = None) -> str:
    """Return what to type to go to FOLDER, on another drive too.

    `cd` stays on its drive in cmd, `cd /d` is none in PowerShell, and `&&` none in its older
    versions; both know `pushd`.
    """
    return _by_shell({shell: _enter(str(folder), shell) for shell in shells or at_hand()})


def _enter(folder: str, shell: str) -> str:
    if shell == "sh":
        return f"cd {word(folder, shell)}"
    if shell == "powershell" and (ALIVE[shell].search(folder) or PATTERN.search(folder)):
        literal = SINGLE.sub(r"\1\1", folder)
        return f"Set-Location -LiteralPath '{literal}'"
    return f"pushd {folder}" if PLAIN[shell].fullmatch(folder) else f'pushd "{folder}"'


def _by_shell(ways: Mapping[str, str]) -> str:
    """Return the one way, or each with its shell's name."""
    first, *others = dict.fromkeys(ways.values())
    if not others:
        return first
    rest = [f"in {NAMES[shell]}: {way}" for shell, way in ways.items() if way != first]
    return f"{first} ({'; '.join(rest)})"


def program(folder: Path | None = None) -> str:
    """Return how `thesis` is called from FOLDER (default: the current one).

    By its name where the shell finds it, else by its path: nothing needs to be activated.
    """
    own = Path(sys.executable).with_name("thesis.exe" if os.name == "nt" else "thesis")
    on_path = shutil.which("thesis")
    if on_path is not None or not own.is_file():
        return "thesis"
    return reach(own, folder or Path.cwd())


def reach(path: PurePath, folder: PurePath) -> str:
    """Return PATH as seen from FOLDER, with a separator in it; as it is from far or another drive.

    From near by the way there needs no quotes, whatever the folders above are called.
    """
    paths = ntpath if isinstance(path, PureWindowsPath) else posixpath
    try:
        near = paths.relpath(path, folder)
    except ValueError:  # another drive
        return str(path)
    if near.count("..") > 2 or len(near) >= len(str(path)):
        return str(path)
    return near if paths.sep in near else f".{paths.sep}{near}"
