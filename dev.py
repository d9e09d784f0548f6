"""The commands of a developer, on Linux, macOS and Windows, with nothing but Python.

python dev.py demo [FOLDER]     make .venv, install, and run the main job on the embedded data
python dev.py test [--all] [-- ARGS]
                                make .venv, install, and run the tests that end in minutes, or all
                                of them, as CI does (ARGS go to pytest)
python dev.py check             make .venv, install, and run lint, format, types and contracts
python dev.py mutate [NAME...]  make .venv, install, and see which kept faults the tests notice

--gpu installs PyTorch's build for the NVIDIA card that is here; --venv FOLDER makes the environment
elsewhere. Both may stand before or after the command.

Standard library only, as the modules of ours that it imports: it must run before anything is
installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from featherface.devices.graphics_cards import Build

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
STAMP = "thesis-dev.txt"
"""In the environment: what was installed into it, so that the next call needn't do it again; its
lines are the state of our files, what of them, and which build of PyTorch."""

CHECKS = {
    # Without its cache: ruff remembers how it sorted imports before a module was there.
    "lint": ["-m", "ruff", "check", "--no-cache", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "types": ["-m", "mypy"],
    "contracts": ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
    "dependencies": ["-m", "deptry", "."],
}
"""Name -> arguments of the environment's Python."""
MUTATE_OPTIONS = "NAME... or --room ROOM, --jobs N, --timeout SECONDS, --list, --json FILE"
"""What `tests/mutations` takes."""


class StepError(Exception):
    """A step failed; the message says what to do."""


def main() -> int:
    """Do what the command line asks; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # Windows' pipes know few characters
    # Installed without bytecode: where none is kept, every process of the tests' some hundred
    # compiles what it imports of PyTorch anew, which takes 3 s.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    arguments = parse()
    try:
        check_python()
        commands = {"demo": demo, "test": test, "check": check, "mutate": mutate}
        return commands[arguments.command](arguments)
    except StepError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def check_python() -> None:
    """Refuse a Python that is too old."""
    if sys.version_info < OLDEST:
        raise StepError(
            f"this is Python {sys.version.split()[0]}; {'.'.join(map(str, OLDEST))} or later"
            " is needed: https://www.python.org/downloads/"
        )


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, venv=ROOT / ".venv", gpu=False)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("demo", "install and run the main job"),
        ("test", "install and run the tests"),
        ("check", "install and run lint, types and contracts"),
        ("mutate", f"install and make faults that the tests should notice; {MUTATE_OPTIONS}"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        add_options(command, venv=argparse.SUPPRESS, gpu=argparse.SUPPRESS)
        if name == "demo":
            command.add_argument("folder", type=Path, nargs="?", default=Path("demo"))
            command.add_argument("--language", choices=["en", "fr"], default="en")
        if name == "test":
            command.add_argument("--all", action="store_true", help="all tests, as CI runs them")
            command.add_argument("arguments", nargs="*", help="for pytest, after --")
    arguments, others = parser.parse_known_args()
    if others and arguments.command != "mutate":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    arguments.others = others
    arguments.venv = arguments.venv.absolute()  # what is installed runs in another folder
    return arguments


def add_options(parser: argparse.ArgumentParser, *, venv: Path | str, gpu: bool | str) -> None:
    """Add what may stand before and after a command."""
    parser.add_argument("--venv", type=Path, default=venv, help="default: .venv")
    parser.add_argument(
        "--gpu", action="store_true", default=gpu, help="PyTorch's build for the card that is here"
    )


def demo(arguments: argparse.Namespace) -> int:
    """Run the main job in a new folder."""
    folder = arguments.folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StepError(
            f"{folder} exists already; choose another folder: python dev.py demo FOLDER"
        )
    python = environment(arguments, ".")
    began = time.monotonic()
    language = ["--language", arguments.language]
    code = show([python, "-m", "thesis_cli", "quickstart", str(folder), *language])
    if code == 0:
        print(f"\nThe quickstart took {time.monotonic() - began:.0f} s.")
        print(f"Open {folder / 'vault'} in Obsidian, or read the notes as they are.")
        print("\n".join(steps(folder, Path(python))))
    return code


def steps(folder: Path, python: Path, shells: tuple[str, ...] = ()) -> list[str]:
    """Give the lines that go on in FOLDER, as SHELLS (default: those at hand) take them.

    They call the program by its path beside PYTHON, so that nothing needs to be activated.
    """
    from experiments.wording import shell_quote as lines

    own = lines.reach(python.with_name(f"thesis{python.suffix}"), folder)
    ways = {
        shell: [lines.enter(folder, (shell,)), lines.line([own, "runs", "list"], shell)]
        for shell in shells or lines.at_hand()
    }
    first, *others = ways.values()
    if all(other == first for other in others):
        return ["To go on, type:", *first]
    told = [[f"To go on, type in {lines.NAMES[shell]}:", *way] for shell, way in ways.items()]
    return [line for way in told for line in way]


def test(arguments: argparse.Namespace) -> int:
    """Run the tests, a process to each core; tests/conftest.py says which are for --all."""
    python = environment(arguments, ".[dev]")
    spread = ["--numprocesses", "auto", "--dist", "worksteal"]
    everything = ["--all"] if arguments.all else []
    return show([python, "-m", "pytest", *spread, *everything, *arguments.arguments])


def check(arguments: argparse.Namespace) -> int:
    """Run every check, then tell which failed."""
    python = environment(arguments, ".[dev]")
    failed = [name for name, rest in CHECKS.items() if show([python, *rest]) != 0]
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def mutate(arguments: argparse.Namespace) -> int:
    """Make the faults of tests/mutations in scratch copies and see which the tests notice."""
    python = environment(arguments, ".[dev]")
    process = subprocess.Popen(
        [python, "-m", "mutations", *arguments.others],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), "PYTHONUTF8": "1"},
    )
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # it was interrupted as well, and removes its copies before it ends


def environment(arguments: argparse.Namespace, wanted: str) -> str:
    """Make the virtual environment hold WANTED (`.` or `.[dev]`); return its Python."""
    venv: Path = arguments.venv
    python, stamp = interpreter(venv), venv / STAMP
    installed = stamp.read_text(encoding="utf-8").splitlines() if stamp.is_file() else []
    build = card_build() if arguments.gpu else kept_build(installed)
    state, sound = fingerprint(), healthy(python)
    same = installed[:1] == [state] and build == kept_build(installed)
    if sound and same and {wanted, ".[dev]"} & set(installed[1:2]):
        return str(python)
    check_place(arguments, wanted, build)
    if not sound:
        create(venv)
    stamp.unlink(missing_ok=True)
    install(python, wanted, build)
    name = build.name if build else ""
    stamp.write_text(f"{state}\n{wanted}\n{name}\n", encoding="utf-8")
    return str(python)


def install(python: Path, wanted: str, build: Build | None) -> None:
    """Install WANTED, and before it the BUILD of PyTorch where there is one."""
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    pip += ["--no-compile"]  # compiling all of torch and sympy takes a minute; imports do it
    print("Installing; PyTorch is the largest part, so this may take minutes.", flush=True)
    if build:
        torch = [build.packaged(pinned("torch")), "--index-url", build.url]
        # Its dependencies come with ours, in the versions of constraints.txt.
        run_pip([*pip, "--no-deps", *torch], python)
    run_pip([*pip, "-c", "constraints.txt", "-e", wanted], python)


def run_pip(command: list[str], python: Path) -> None:
    """Call pip."""
    if show(command) != 0:
        raise StepError(
            "the installation failed; its last lines above say why. With a network problem, run"
            f" the same command again; to start afresh, delete {python.parent.parent}"
        )


def card_build() -> Build:
    """Return the build of PyTorch for the card that is here."""
    from featherface.devices.graphics_cards import here
    from featherface.errors import UnavailableError

    try:
        card, build = here()
    except UnavailableError as error:
        raise StepError(f"{error.message}. {error.hint}") from error
    print(f"{card}, driver {card.driver}: PyTorch's build {build.name}, which is some gigabytes")
    return build


def kept_build(installed: list[str]) -> Build | None:
    """Return the build of PyTorch that was INSTALLED for a card: it stays through updates."""
    from featherface.devices.graphics_cards import BUILDS

    return BUILDS.get(installed[2]) if len(installed) > 2 else None


def check_place(arguments: argparse.Namespace, wanted: str, build: Build | None) -> None:
    """Refuse, before anything is downloaded, what can't end well."""
    from thesis_cli.platforms import InstallPlace, cramped, lacking

    again = f"python dev.py --venv {{}} {arguments.command}"
    reason = lacking(InstallPlace.here(), tests=wanted != ".")
    reason = reason or cramped(arguments.venv, build.name if build else "", again)
    if reason:
        raise StepError(reason)


def pinned(package: str) -> str:
    """Return the version of PACKAGE in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))


def interpreter(venv: Path) -> Path:
    """Give the path of the environment's Python."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def healthy(python: Path) -> bool:
    """Tell whether the environment's Python runs, is this version, and has pip."""
    probe = "import sys, pip; print(sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [str(python), "-c", probe], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == str(sys.version_info[:2])


def create(venv: Path) -> None:
    """Make the environment anew; only one that this script could have made is removed."""
    if venv.exists() and not (venv / "pyvenv.cfg").is_file():
        raise StepError(f"{venv} exists and is no virtual environment; move it away")
    if venv.exists():
        shutil.rmtree(venv)
    if show([sys.executable, "-m", "venv", str(venv)]) != 0:
        shutil.rmtree(venv, ignore_errors=True)
        raise StepError(
            "can't make a virtual environment. On Debian and Ubuntu: apt install python3-venv;"
            " elsewhere check that the disk isn't full"
        )


def fingerprint() -> str:
    """Hash what decides about the environment's content."""
    parts = [sys.version.encode()]
    parts += [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def show(command: list[str]) -> int:
    """Print a command and run it in the project's folder; return its exit code."""
    from experiments.wording import shell_quote as lines

    print(f"$ {lines.line(command, lines.at_hand()[0])}", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
