"""What is printed to be typed is read back as meant, by the rules of each shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stand_ins import shells

from experiments.wording import shell_quote
from experiments.wording.shell_quote import at_hand, command, enter, line, quoted, reach, word

WINDOWS = ("powershell", "cmd")
TEXT = st.text(st.sampled_from("ab0./\\=:+@-_ ,;[]{}()<>|&!%$`'\"#~*?^éß\u2019\u201c"), max_size=8)
WORDS = st.lists(TEXT, max_size=4)
PROGRAMS = [
    "thesis",
    r"..\.venv\Scripts\thesis.exe",
    r"C:\Users\Jérôme\my box\.venv\Scripts\thesis.exe",
    r"D:\a&b (1)\it's\thesis.exe",
    r"D:\$home\x[1]\thesis.exe",
]
HARD = [
    ["run", "v1", "--set", "train.steps_at=[1, 2]"],
    ["run", "v2@1", "--set", 'title=A "quoted" word'],
    ["run", "v1", "--set", r"data.root=C:\my data\wider"],
    ["run", "v1", "--set", "data.root=C:\\my data\\"],
    ["run", "v1", "--set", "title=100 % of $HOME & more"],
    ["run", "v1", "--set", "title=%PATH%"],
    ["run", "v1", "--set", "title=it's l\u2019été, \u201cenfin\u201d!"],
    ["run", ""],
]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("words", HARD)
def test_a_call_is_read_back_by_each_shell(program, words):
    wanted = [program, *words]
    assert shells.cmd(line(wanted, "cmd")) == wanted
    for modern in (False, True):
        assert shells.powershell(line(wanted, "powershell"), modern=modern) == wanted
    assert shells.sh(line(wanted, "sh")) == wanted


@given(words=WORDS)
def test_any_words_are_read_back(words):
    wanted = ["thesis", *words]
    assert shells.cmd(line(wanted, "cmd"), {}) == wanted
    assert shells.sh(line(wanted, "sh")) == wanted
    text = "".join(words)
    assume('"' not in text or not {"|", "&"} & set(text))  # no form of PowerShell 5.1 keeps these
    for modern in (False, True):
        assert shells.powershell(line(wanted, "powershell"), modern=modern) == wanted


@pytest.mark.parametrize("name", ["sh", "bash", "zsh", "fish", "dash"])
def test_real_shells_read_it_back(name):
    shell = shutil.which(name)
    if shell is None:
        pytest.skip(f"{name} is not here")
    for words in HARD:
        call = line(["printf", "%s|", *words], "sh")
        answer = subprocess.run([shell, "-c", call], capture_output=True, text=True, check=True)
        assert answer.stdout == "".join(f"{one}|" for one in words)


@pytest.mark.parametrize(
    "folder",
    [
        r"C:\box\demo",
        r"D:\Users\Jérôme\my box\demo",
        r"D:\a&b (1)\it's",
        r"\\server\my share\demo",
        "C:\\l\u2019été",
    ],
)
def test_one_line_goes_to_a_folder_in_all_of_windows_shells(folder):
    printed = enter(PureWindowsPath(folder), WINDOWS)
    assert set(map(tuple, shells.every_way(printed).values())) == {("pushd", folder)}


@pytest.mark.parametrize("folder", [r"C:\a[1]\demo", r"C:\$box\demo", "C:\\\u201ebox\u201c\\demo"])
def test_where_the_shells_differ_both_ways_are_given(folder):
    printed = enter(PureWindowsPath(folder), WINDOWS)
    powershell, cmd = printed.removesuffix(")").split(" (in cmd: ")
    assert shells.powershell(powershell, modern=False) == ["Set-Location", folder]
    assert shells.cmd(cmd, {}) == ["pushd", folder]


@pytest.mark.parametrize("folder", ["/home/me/demo", "/home/me/my box", "/a/$b/it's", "/a/!b"])
def test_going_to_a_folder_on_posix(folder):
    assert shells.sh(enter(PurePosixPath(folder), ("sh",))) == ["cd", folder]


@pytest.mark.parametrize(
    ("typed", "refusing"),
    [
        (r'"C:\my box\thesis.exe" run', {"powershell"}),  # there it is a text
        (r'& "C:\my box\thesis.exe" run', {"cmd", "sh"}),
        ("thesis run v1 --set 'a & b'", {"cmd"}),  # knows no single quotes
        ('thesis run v1 --set "a $b"', {"powershell", "sh"}),
        ("thesis run v1 && thesis runs list", {"cmd", "powershell", "sh"}),
        (r"pushd C:\box[1]", {"powershell", "sh"}),  # a pattern
    ],
)
def test_the_readers_refuse_what_their_shell_takes_otherwise(typed, refusing):
    def takes(reader):
        try:
            reader(typed)
        except (ValueError, IndexError):
            return False
        return True

    readers = {
        "cmd": shells.cmd,
        "powershell": lambda text: shells.powershell(text, modern=False),
        "sh": shells.sh,
    }
    assert {name for name, reader in readers.items() if not takes(reader)} == refusing


def test_the_shells_at_hand():
    assert at_hand("posix", {"SHELL": "/bin/zsh"}) == ("sh",)
    assert at_hand("nt", {"PSModulePath": "x"}) == WINDOWS
    assert at_hand("nt", {"MSYSTEM": "MINGW64"}) == ("sh",)


def test_a_command_is_given_once_where_the_shells_agree():
    assert command(["thesis", "run", "v2@1", "a b"], WINDOWS) == 'thesis run v2@1 "a b"'
    differing = command([r"C:\my box\thesis.exe", "run"], WINDOWS)
    assert differing == r'& "C:\my box\thesis.exe" run (in cmd: "C:\my box\thesis.exe" run)'


@pytest.mark.parametrize(
    ("path", "folder", "seen"),
    [
        (r"C:\my box\.venv\Scripts\t.exe", r"C:\my box\demo", r"..\.venv\Scripts\t.exe"),
        (r"C:\my box\.venv\Scripts\t.exe", r"C:\my box", r".venv\Scripts\t.exe"),
        (r"C:\v\Scripts\t.exe", r"C:\Users\me\Desktop\box\demo", r"C:\v\Scripts\t.exe"),
        (r"C:\v\Scripts\t.exe", r"D:\demo", r"C:\v\Scripts\t.exe"),
        (r"C:\v\t.exe", r"C:\v", r".\t.exe"),
    ],
)
def test_a_program_near_by_needs_no_quotes(path, folder, seen):
    assert reach(PureWindowsPath(path), PureWindowsPath(folder)) == seen


def test_a_program_near_by_on_posix():
    path, folder = PurePosixPath("/my box/.venv/bin/thesis"), PurePosixPath("/my box/demo")
    assert reach(path, folder) == "../.venv/bin/thesis"


def test_the_program_is_called_by_name_where_the_shell_finds_it(monkeypatch, tmp_path):
    assert shell_quote.program() == "thesis"
    monkeypatch.setenv("PATH", str(tmp_path))
    own = tmp_path / "venv" / "bin"
    own.mkdir(parents=True)
    name = "thesis.exe" if os.name == "nt" else "thesis"
    (own / name).touch()
    monkeypatch.setattr(shell_quote.sys, "executable", str(own / "python"))
    (tmp_path / "demo").mkdir()
    assert shell_quote.program(tmp_path / "demo") == str(Path("../venv/bin", name))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("train.epochs=3", "train.epochs=3"),
        ("train.steps_at=[1, 2]", '"train.steps_at=[1, 2]"'),
        ("title=$x", "'title=$x'"),
    ],
)
def test_words_in_notes_are_the_same_on_every_system(text, shown):
    assert quoted(text) == shown
    assert word(text, "sh") == shown
