"""How shells and Windows take a line apart, by their documented rules; for what is printed.

Each parser returns the words that a program is given, or raises ValueError where the line would do
something else than call it.
"""

from __future__ import annotations

import os
import re
import shlex

SINGLE = "'\u2018\u2019\u201a\u201b"
DOUBLE = '"\u201c\u201d\u201e'


def argv(line):
    """Split a command line as CommandLineToArgvW does; the program's name knows no backslashes."""
    first = re.match(r'"([^"]*)"|(\S*)', line)
    words, rest, place = [first[1] if first[1] is not None else first[2]], line[first.end() :], 0
    while place < len(rest):
        if rest[place] in " \t":
            place += 1
            continue
        word, within = "", False
        while place < len(rest) and (within or rest[place] not in " \t"):
            slashes = re.compile(r"\\*").match(rest, place)[0]
            place += len(slashes)
            if place < len(rest) and rest[place] == '"':
                word += "\\" * (len(slashes) // 2)
                if len(slashes) % 2:
                    word += '"'
                else:
                    within = not within
                place += 1
            elif slashes:
                word += slashes
            else:
                word += rest[place]
                place += 1
        words.append(word)
    return words


def cmd(line, environment=os.environ):
    """Read LINE as it is typed at cmd's prompt."""
    known = {name.upper(): value for name, value in environment.items()}
    line = re.sub(r"%([^%]+)%", lambda found: known.get(found[1].upper(), found[0]), line)
    raw, within, place = "", False, 0
    while place < len(line):
        char = line[place]
        if char == "^" and not within:
            place += 1
            char = line[place]
        elif char == '"':
            within = not within
        elif char in "&|<>()" and not within:
            raise ValueError(f"cmd sees {char} at {place} of {line}")
        raw += char
        place += 1
    verb, _, rest = raw.partition(" ")
    if verb == "pushd":
        return [verb, rest.strip('"')]
    if verb == "cd":
        return [verb, rest.removeprefix("/d ").strip('"')]
    return argv(raw)


def _powershell_word(line, place):
    """Return the word that begins at PLACE, whether quotes were in it, and where it ends."""
    word, quotes = "", False
    start = place
    while place < len(line) and line[place] not in " \t":
        char = line[place]
        if char in SINGLE or char in DOUBLE:
            kind, quotes = SINGLE if char in SINGLE else DOUBLE, True
            place += 1
            while True:
                if place >= len(line):
                    raise ValueError(f"a quote is open in {line}")
                if line[place] in kind:
                    if line[place + 1 : place + 2] and line[place + 1] in kind:
                        place += 1
                    else:
                        break
                elif kind == DOUBLE and line[place] in "$`":
                    raise ValueError(f"PowerShell expands {line[place]} in {line}")
                word += line[place]
                place += 1
        elif char in "&|;<>(){},$`" or (place == start and char in "@#"):
            raise ValueError(f"PowerShell sees {char} at {place} of {line}")
        else:
            word += char
        place += 1
    return word, quotes, place


def powershell(line, *, modern):
    """Read LINE as it is typed into Windows PowerShell 5.1, or into 7.3 where MODERN."""
    call = line.startswith("& ")
    place, words = 2 if call else 0, []
    while place < len(line):
        if line[place] in " \t":
            place += 1
            continue
        if words and line[place:].startswith("--% "):
            rest = line[place + 4 :]
            outside = re.sub(r'"[^"]*"', "", rest)
            if "|" in outside or "&&" in outside:
                raise ValueError(f"PowerShell sees an operator in {rest}")
            return argv(f'"{words[0]}" {rest}')
        word, quotes, place = _powershell_word(line, place)
        if not words and quotes and not call:
            raise ValueError(f"PowerShell prints the text {word}")
        words.append(word)
    if words[0] in {"pushd", "Set-Location"}:
        if words[0] == "pushd" and re.search(r"[\[\]*?]", words[1]):
            raise ValueError(f"pushd looks for the pattern {words[1]}")
        return [words[0], words[-1]]
    return argv(" ".join([f'"{words[0]}"', *(_passed(one, modern=modern) for one in words[1:])]))


def _passed(word, *, modern):
    """Write WORD into a program's command line as PowerShell does."""
    if modern and (not word or re.search(r'[\s"]', word)):
        inner = re.sub(r'(\\*)"', r'\1\1\\"', word)
        inner += inner[len(inner.rstrip("\\")) :]
        return f'"{inner}"'
    return f'"{word}"' if re.search(r"\s", word) else word


def sh(line):
    """Read LINE as it is typed into a POSIX shell with bash's history."""
    for found in re.finditer(r"'[^']*'|\"((?:\\.|[^\"\\])*)\"|([^'\"]+)", line):
        inside, bare = found[1], found[2]
        if inside is not None and re.search(r"[$`!]", inside):
            raise ValueError(f"the shell expands {inside}")
        if bare and re.search(r"[$`!&|;<>(){}*?\[\]~#]|(^|\s)=", bare):
            raise ValueError(f"the shell sees something of its own in {bare}")
    return shlex.split(line)


def every_way(line):
    """Return what Windows' shells make of LINE, by name."""
    return {
        "cmd": cmd(line),
        "PowerShell 5.1": powershell(line, modern=False),
        "PowerShell 7.3": powershell(line, modern=True),
    }
