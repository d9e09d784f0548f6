"""The two commands of a developer, on Linux, macOS and Windows, with nothing but Python.

python dev.py demo [FOLDER]     make .venv, install, and run the main job on the embedded data
python dev.py test [-- ARGS]    make .venv, install, and run the tests (ARGS go to pytest)
python dev.py check             make .venv, install, and run lint, format, types and contracts

Standard library only: it must run before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
STAMP = "thesis-dev.txt"
"""In the environment: what was installed into it, so that the next call needn't do it again."""

CHECKS = {
    # Without its cache: ruff remembers how it sorted imports before a module was there.
    "lint": ["-m", "ruff", "check", "--no-cache", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "types": ["-m", "mypy"],
    "contracts": ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
    "dependencies": ["-m", "deptry", "."],
}
"""Name -> arguments of the environment's Python."""


class StepError(Exception):
    """A step failed; the message says what to do."""


def main() -> int:
    """Do what the command line asks; return the exit code."""
    arguments = parse()
    try:
        check_python()
        return {"demo": demo, "test": test, "check": check}[arguments.command](arguments)
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
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="default: .venv")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("demo", "install and run the main job"),
        ("test", "install and run the tests"),
        ("check", "install and run lint, types and contracts"),
    ):
        command = commands.add_parser(name, help=about)
        if name == "demo":
            command.add_argument("folder", type=Path, nargs="?", default=Path("demo"))
            command.add_argument("--language", choices=["en", "fr"], default="en")
        if name == "test":
            command.add_argument("arguments", nargs="*", help="for pytest, after --")
    return parser.parse_args()


def demo(arguments: argparse.Namespace) -> int:
    """Run the main job in a new folder."""
    folder = arguments.folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StepError(
            f"{folder} exists already; choose another folder: python dev.py demo FOLDER"
        )
    python = environment(arguments.venv, ".")
    began = time.monotonic()
    language = ["--language", arguments.language]
    code = show([python, "-m", "thesis_cli", "quickstart", str(folder), *language])
    if code == 0:
        print(f"\nThe quickstart took {time.monotonic() - began:.0f} s.")
        print(f"Open {folder / 'vault'} in Obsidian, or read the notes as they are.")
        print(f"To go on: {shlex.join(activation(arguments.venv))}, then: cd {folder}")
    return code


def test(arguments: argparse.Namespace) -> int:
    """Run the tests, all of them unless the arguments choose, a process to each core."""
    python = environment(arguments.venv, ".[dev]")
    spread = ["--numprocesses", "auto", "--dist", "worksteal"]
    return show([python, "-m", "pytest", *spread, *arguments.arguments])


def check(arguments: argparse.Namespace) -> int:
    """Run every check, then tell which failed."""
    python = environment(arguments.venv, ".[dev]")
    failed = [name for name, rest in CHECKS.items() if show([python, *rest]) != 0]
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def environment(venv: Path, wanted: str) -> str:
    """Make the virtual environment hold WANTED (`.` or `.[dev]`); return its Python."""
    python = interpreter(venv)
    if not healthy(python):
        create(venv)
    stamp = venv / STAMP
    installed = stamp.read_text(encoding="utf-8").splitlines() if stamp.is_file() else []
    state = fingerprint()
    if installed[:1] == [state] and {wanted, ".[dev]"} & set(installed[1:]):
        return str(python)
    stamp.unlink(missing_ok=True)
    install = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    install += ["--no-compile"]  # compiling all of torch and sympy takes a minute; imports do it
    print("Installing; torch alone is some hundred megabytes, so this may take minutes.")
    if show([*install, "-c", "constraints.txt", "-e", wanted]) != 0:
        raise StepError(
            "the installation failed; its last lines above say why. With a network problem, run"
            f" the same command again; to start afresh, delete {venv}"
        )
    stamp.write_text(f"{state}\n{wanted}\n", encoding="utf-8")
    return str(python)


def interpreter(venv: Path) -> Path:
    """Give the path of the environment's Python."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def activation(venv: Path) -> list[str]:
    """Give the command that activates the environment."""
    if os.name == "nt":
        return [str(venv / "Scripts" / "Activate.ps1")]
    return ["source", str(venv / "bin" / "activate")]


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
    print(f"$ {shlex.join(command)}", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
