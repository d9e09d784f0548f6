"""dev.py: what it refuses and what it tells, without installing anything."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace

import pytest
from stand_ins import shells

from featherface.devices import graphics_cards
from featherface.devices.graphics_cards import Card
from thesis_cli import platforms
from thesis_cli.platforms import InstallPlace, lacking, too_long

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, str(ROOT / "dev.py"), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def dev(monkeypatch):
    """dev.py as a module; what it would start is kept in `started` and has succeeded."""
    place = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    module.started = []
    monkeypatch.setattr(module, "show", lambda command: module.started.append(command) or 0)
    monkeypatch.setattr(module, "healthy", lambda python: python.is_file())
    return module


def arguments(dev, monkeypatch, *typed):
    monkeypatch.setattr(sys, "argv", ["dev.py", *map(str, typed)])
    return dev.parse()


def imported(path):
    """Return the modules that the file at PATH imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {one for one in inner if located(one)} or {node.module}
    return found


def located(module):
    path = ROOT / f"{module.replace('.', '/')}.py"
    return path if path.is_file() else None


def test_it_needs_the_standard_library_alone():
    waiting, seen = [ROOT / "dev.py"], set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for module in imported(path):
            own = located(module)
            assert own or module.partition(".")[0] in sys.stdlib_module_names, (path, module)
            waiting += [own] if own and own not in seen else []
            for above in own.relative_to(ROOT).parents if own else ():
                inner = ROOT / above / "__init__.py"
                assert not inner.is_file() or not imported(inner) - {"__future__"}, inner
    assert len(seen) > 3


def test_demo_overwrites_nothing(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    answer = call("demo", tmp_path)
    assert answer.returncode == 1
    assert str(tmp_path) in answer.stderr
    assert "choose another folder" in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    answer = call("--venv", tmp_path, "test")
    assert answer.returncode == 1
    assert "no virtual environment" in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("command", ["demo", "test", "check", "mutate"])
def test_help(command):
    answer = call(command, "--help")
    assert answer.returncode == 0


def test_mutate_hands_on_what_it_is_given_and_nothing_else_does(dev, monkeypatch, capsys):
    words = ["--room", "vault", "--jobs", "2"]
    assert arguments(dev, monkeypatch, "mutate", *words).others == words
    with pytest.raises(SystemExit):
        arguments(dev, monkeypatch, "check", *words)
    assert "unrecognized arguments: --room vault --jobs 2" in capsys.readouterr().err


def test_constraints_pin_plain_versions():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    for pin in pins:
        name, _, version = pin.partition("==")
        assert name
        assert version
        assert "+" not in version, pin
        assert "/" not in version, pin


WINDOWS = InstallPlace((3, 12, 8), "win-amd64", "AMD64")
MAC = InstallPlace((3, 12, 8), "macosx-11.0-universal2", "arm64", macos=(14, 5))
LINUX = InstallPlace((3, 12, 8), "linux-x86_64", "x86_64", glibc=(2, 36))


@pytest.mark.parametrize("place", [WINDOWS, MAC, LINUX])
@pytest.mark.parametrize("version", [(3, 11, 5), (3, 12, 0), (3, 13, 1), (3, 14, 0), (3, 14, 2)])
def test_where_the_pinned_packages_can_be_installed(place, version):
    assert lacking(replace(place, version=version), tests=True) is None


def test_this_machine_can_install_them():
    assert lacking(InstallPlace.here()) is None


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (replace(WINDOWS, version=(3, 10, 4)), "this is Python 3.10.4; 3.11 or later"),
        (replace(WINDOWS, version=(3, 15, 0)), "this is Python 3.15.0; .* 3.11 to 3.14"),
        (replace(LINUX, version=(3, 14, 1)), "3.14.1; networkx refuses it"),
        (replace(LINUX, threaded=True), "without the global lock"),
        (replace(LINUX, implementation="pypy"), "as pypy; PyTorch needs CPython"),
        (replace(WINDOWS, system="win32", bits=32), "32 bits"),
        (replace(WINDOWS, system="win-arm64", machine="ARM64"), "Python for ARM on Windows"),
        (replace(MAC, machine="x86_64"), "Intel Macs"),
        (replace(MAC, macos=(13, 6)), "this is macOS 13.6; .* need 14 or later"),
        (replace(LINUX, glibc=(2, 17)), "glibc is 2.17; .* 2.28 or later"),
        (replace(LINUX, glibc=(0, 0)), "no glibc"),
        (replace(LINUX, system="linux-armv7l", machine="armv7l"), "no package for armv7l"),
    ],
)
def test_where_they_cannot_be_is_told_before_downloading(place, told):
    assert re.search(told, lacking(place))


@pytest.mark.parametrize("patch", range(5))
def test_the_first_pythons_of_3_11_do_for_all_but_the_tests(patch):
    place = replace(LINUX, version=(3, 11, patch))
    assert lacking(place) is None
    assert "the tests need 3.11.5 or later" in lacking(place, tests=True)


def test_the_longest_path_is_that_of_the_pinned_torch():
    files = metadata.files("torch")
    local = metadata.version("torch").partition("+")[2]
    inside = [len(str(one)) for one in files if not str(one).startswith("..")]
    name = f"torch-{metadata.version('torch')}"
    own = max(
        len(str(one)) - (len(f"+{local}") if local and str(one).startswith(name) else 0)
        for one in files
    )
    assert own == platforms.LONGEST
    assert max(inside) <= platforms.LONGEST + len(f"+{local}")


def test_a_checkout_of_67_characters_fits_into_windows_paths():
    root = PureWindowsPath("C:\\".ljust(67, "x"))
    assert len(str(root)) == 67
    assert too_long(root / ".venv") == 0
    assert too_long(PureWindowsPath(f"{root}x") / ".venv") == 1
    assert too_long(root / ".venv", "cu126") == len("+cu126")


@pytest.mark.parametrize(("held", "enabled"), [((1, 4), True), ((0, 4), False), (None, False)])
def test_whether_long_paths_are_enabled_stands_in_the_registry(monkeypatch, held, enabled):
    def query(opened, name):
        assert name == "LongPathsEnabled"
        if held is None:
            raise FileNotFoundError
        return held

    registry = SimpleNamespace(
        OpenKey=lambda *_: contextlib.nullcontext(), HKEY_LOCAL_MACHINE=0, QueryValueEx=query
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert platforms.long_paths("win32") is enabled
    assert platforms.long_paths("linux")


def test_a_folder_too_deep_for_windows_is_told_before_downloading(dev, monkeypatch, tmp_path):
    monkeypatch.setattr(platforms, "long_paths", lambda: False)
    monkeypatch.setattr(platforms.InstallPlace, "here", classmethod(lambda _: WINDOWS))
    venv = tmp_path / ("x" * 80)
    with pytest.raises(dev.StepError, match=r"python dev.py --venv .*v demo") as caught:
        dev.environment(arguments(dev, monkeypatch, "demo", "--venv", venv), ".")
    assert f"{too_long(venv)} more" in str(caught.value)
    assert dev.started == []
    assert not venv.exists()


def test_a_platform_without_packages_is_told_before_downloading(dev, monkeypatch, tmp_path):
    place = replace(MAC, machine="x86_64")
    monkeypatch.setattr(platforms.InstallPlace, "here", classmethod(lambda _: place))
    with pytest.raises(dev.StepError, match="Intel Macs"):
        dev.environment(arguments(dev, monkeypatch, "demo", "--venv", tmp_path / "v"), ".")
    assert dev.started == []


GTX_1060 = Card("NVIDIA GeForce GTX 1060 6GB", (6, 1), "560.94", 6144)
RTX_4090 = Card("NVIDIA GeForce RTX 4090", (8, 9), "581.29", 24564)


@pytest.mark.parametrize(("card", "build"), [(GTX_1060, "cu126"), (RTX_4090, "cu130")])
def test_with_gpu_the_build_for_the_card_is_installed_and_stays(
    dev, monkeypatch, tmp_path, card, build, capsys
):
    monkeypatch.setattr(graphics_cards, "installed", lambda: (card,))
    monkeypatch.setattr(dev, "create", lambda venv: venv.joinpath("bin").mkdir(parents=True))
    given = arguments(dev, monkeypatch, "--venv", tmp_path / "v", "--gpu", "demo")
    python = dev.environment(given, ".")
    first, second = dev.started
    url = f"https://download.pytorch.org/whl/{build}"
    version = dev.pinned("torch")
    assert first[-4:] == ["--no-deps", f"torch=={version}+{build}", "--index-url", url]
    assert second[-4:] == ["-c", "constraints.txt", "-e", "."]
    assert "--index-url" not in second
    assert card.name in capsys.readouterr().out
    Path(python).parent.mkdir(parents=True, exist_ok=True)
    Path(python).touch()
    dev.started.clear()
    plain = arguments(dev, monkeypatch, "--venv", tmp_path / "v", "test")
    dev.environment(plain, ".")
    assert dev.started == [], "nothing has changed"
    dev.environment(plain, ".[dev]")
    assert f"torch=={version}+{build}" in dev.started[0], "an update keeps the card's build"


@pytest.mark.parametrize(
    ("cards", "told"),
    [
        ((), "nvidia-smi, .*finds no card.*leave --gpu away"),
        ((replace(GTX_1060, driver="461.40"),), "driver 461.40 of NVIDIA.* is too old"),
        ((Card("GeForce GTX 960", None, "461.40"),), "driver 461.40 .* is too old"),
        ((Card("Tesla K80", (3, 7), "470.82"),), "no build of PyTorch holds code for Tesla K80"),
    ],
)
def test_with_gpu_what_cannot_be_used_is_told_before_downloading(
    dev, monkeypatch, tmp_path, cards, told
):
    monkeypatch.setattr(graphics_cards, "installed", lambda: cards)
    with pytest.raises(dev.StepError, match=told):
        dev.environment(arguments(dev, monkeypatch, "--gpu", "--venv", tmp_path / "v", "demo"), ".")
    assert dev.started == []


@pytest.mark.parametrize("root", [r"C:\Users\me\Desktop\box", r"D:\my thesis (2)\box"])
def test_the_last_line_can_be_typed_in_both_of_windows_shells(dev, root):
    root = PureWindowsPath(root)
    python = root / ".venv" / "Scripts" / "python.exe"
    said, go, call = dev.steps(root / "demo", python, ("powershell", "cmd"))
    assert said == "To go on, type:"
    for words in shells.every_way(go).values():
        assert words == ["pushd", str(root / "demo")]
    for words in shells.every_way(call).values():
        assert words == [r"..\.venv\Scripts\thesis.exe", "runs", "list"]


def test_where_the_shells_differ_each_has_lines_of_its_own(dev):
    python = PureWindowsPath(r"D:\my envs\v\Scripts\python.exe")
    said = dev.steps(PureWindowsPath(r"C:\demo"), python, ("powershell", "cmd"))
    wanted = [str(python.with_name("thesis.exe")), "runs", "list"]
    assert said[0] == "To go on, type in PowerShell:"
    assert shells.powershell(said[2], modern=False) == wanted
    assert said[3] == "To go on, type in cmd:"
    assert shells.cmd(said[5]) == wanted


@pytest.mark.skipif(os.name == "nt", reason="paths as on POSIX")
def test_the_last_line_can_be_typed_in_a_posix_shell(dev, tmp_path):
    python = tmp_path / "my box" / ".venv" / "bin" / "python"
    said = dev.steps(tmp_path / "my box" / "demo", python, ("sh",))
    assert shells.sh(said[1]) == ["cd", str(tmp_path / "my box" / "demo")]
    assert shells.sh(said[2]) == ["../.venv/bin/thesis", "runs", "list"]


def test_demo_ends_with_that_line(dev, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(dev, "environment", lambda *_: str(tmp_path / "v/bin/python"))
    folder = tmp_path / "demo"
    assert dev.demo(arguments(dev, monkeypatch, "demo", folder)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == dev.steps(folder, tmp_path / "v/bin/python")[-2:]
    assert lines[-1].endswith("runs list")
    assert dev.started[0][-3:] == [str(folder), "--language", "en"]


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ((), ()),
        (("--all",), ("--all",)),
        (("--", "-m", "slow"), ("-m", "slow")),
        (("--all", "--", "tests/templates", "-x"), ("--all", "tests/templates", "-x")),
    ],
)
def test_what_is_typed_after_test_reaches_pytest(dev, monkeypatch, typed, given):
    monkeypatch.setattr(dev, "environment", lambda *_: "python")
    assert dev.test(arguments(dev, monkeypatch, "test", *typed)) == 0
    (command,) = dev.started
    assert command[:3] == ["python", "-m", "pytest"]
    assert tuple(command[command.index("worksteal") + 1 :]) == given


def test_the_bytecode_of_what_is_installed_is_kept(dev, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(sys, "argv", ["dev.py", "check"])
    monkeypatch.setattr(dev, "environment", lambda *_: "python")
    kept = []
    monkeypatch.setattr(
        dev, "show", lambda _: kept.append("PYTHONDONTWRITEBYTECODE" not in os.environ) or 0
    )
    assert dev.main() == 0
    assert kept == [True] * len(dev.CHECKS)


MARKED = """
import pytest

@pytest.mark.parametrize("kind", [
    "plain", pytest.param("gpu", marks=pytest.mark.gpu),
    *(pytest.param(name, marks=getattr(pytest.mark, name))
      for name in ("slow", "data", "external", "variants")),
])
def test_it(kind):
    from hypothesis import settings
    print(kind, settings.default.max_examples)
"""


@pytest.mark.parametrize(
    ("given", "kinds", "examples"),
    [
        ((), {"plain", "gpu"}, 25),
        (("--all",), {"plain", "gpu", "slow", "data", "external", "variants"}, 100),
        (("-m", "data or slow"), {"data", "slow"}, 25),
    ],
)
def test_without_all_the_marks_decide(tmp_path, given, kinds, examples):
    """In a process of its own: the profile of hypothesis is one for the whole process."""
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    (tmp_path / "test_marked.py").write_text(MARKED, encoding="utf-8")
    settings = f"[pytest]\naddopts = -qs -p no:xdist\npythonpath = {ROOT} {ROOT / 'tests'}\n"
    (tmp_path / "pytest.ini").write_text(settings, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-m", "pytest", *given]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    words = re.findall(r"(plain|gpu|slow|data|external|variants) (\d+)\n", done.stdout)
    assert dict(words) == dict.fromkeys(kinds, str(examples))
    told = f"without --all: 2 of these {len(kinds)} tests passed"
    assert (told in done.stdout) == ("--all" in given)


def marked(name, mark):
    assert mark == "slow"
    return name[0].isupper()


@pytest.mark.parametrize(
    ("processes", "order"),
    [(1, "a1 A2 a3 B1 b2 C1 C2 d1 d2 d3"), (2, "A2 C1 C2 a1 a3 B1 b2 d1 d2 d3")],
)
def test_each_process_begins_with_slow_tests(request, processes, order):
    """Small letters are files and capitals their slow tests; xdist halves the list."""
    plugins = request.config.pluginmanager.get_plugins()
    place = str(ROOT / "tests/conftest.py")
    (conftest,) = [one for one in plugins if getattr(one, "__file__", None) == place]
    names = ["a1", "A2", "a3", "B1", "b2", "C1", "C2", "d1", "d2", "d3"]
    items = [
        SimpleNamespace(name=name, path=name[0].lower(), get_closest_marker=partial(marked, name))
        for name in names
    ]
    config = SimpleNamespace(workerinput={"workercount": processes})
    conftest.pytest_collection_modifyitems(config, items)
    assert " ".join(item.name for item in items) == order


def test_an_old_python_is_told_which_one_is_needed(dev, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(dev.StepError, match=r"3\.11 or later is needed"):
        dev.check_python()


def test_readme_says_what_holds(dev):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    version = dev.pinned("torch")
    for build in graphics_cards.BUILDS.values():
        line = " ".join(["python", *build.install(version)])
        assert f"$ {line}\n" in readme, line
    flat = " ".join(readme.split())
    for fact in (
        "Python 3.11 to 3.14 (the tests 3.11.5)",
        "macOS 14 or later",
        "glibc 2.28 or later",
        f"may have {platforms.MAX_PATH} characters",
        "more than 67",
        f"driver {graphics_cards.BUILDS['cu130'].driver} or later",
    ):
        assert fact in flat, fact
