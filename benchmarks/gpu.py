"""Everything that a GPU alone can show, in about twenty-five minutes and without a network.

    python benchmarks/gpu.py [--output FOLDER] [--data FOLDER] [--only PART ...] [--minutes 25]
    python benchmarks/gpu.py --rehearse [--only PART ...]

Each part runs in a process of its own under a limit of its own: one that hangs, crashes or loses
the device costs no other. What a part found is in FOLDER/PART.json as soon as it is found; at the
end FOLDER/gpu.md holds all of it as tables, to be put into docs/performance.md.

--data is a folder of reference weights and pictures (THESIS_REFERENCE_DATA), which some parts
want. Where there is no CUDA device the script says so and exits with 0; --rehearse then walks
through the parts on the CPU with tiny sizes, so that the day a GPU is at hand is not spent on
this script. Rehearsed figures say nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import torch
from gpu_parts import PARTS
from gpu_parts.answers import Answers, Setting, tables

HERE = Path(__file__).resolve()
PATIENCE = 4
"""Times as long as on a GPU may a rehearsed part take."""


def main() -> int:
    options = parse()
    if options.part:
        return work(options)
    if not torch.cuda.is_available() and not options.rehearse:
        print(
            f"no CUDA device here (torch {torch.__version__}, built for CUDA"
            f" {torch.version.cuda or 'none'}): nothing to measure. To try the script itself:"
            f" python {HERE.parent.name}/{HERE.name} --rehearse"
        )
        return 0
    options.output.mkdir(parents=True, exist_ok=True)
    failed = run_all(options)
    write_tables(options)
    return 1 if failed else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("gpu"), help="default: ./gpu")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ["THESIS_REFERENCE_DATA"])
        if os.environ.get("THESIS_REFERENCE_DATA")
        else None,
    )
    parser.add_argument("--only", nargs="+", choices=list(PARTS), metavar="PART", help="some parts")
    parser.add_argument("--minutes", type=float, default=25, help="for all parts together")
    parser.add_argument("--device", default="cuda:0", help="such as cuda:1")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, with tiny sizes")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.output = options.output.resolve()
    return options


def work(options: argparse.Namespace) -> int:
    """Do one part, in this process."""
    setting = Setting.of(options)
    answers = Answers(options.output / f"{options.part}.json")
    PARTS[options.part].run(setting, answers)
    answers.add(finished=True)
    return 0


def run_all(options: argparse.Namespace) -> list[str]:
    """Run the parts one after the other; return the names of those that failed."""
    end = time.monotonic() + 60 * options.minutes
    failed = []
    for name in options.only or PARTS:
        left = end - time.monotonic()
        limit = min(PARTS[name].seconds * (PATIENCE if options.rehearse else 1), left)
        if limit < 10:
            note(options, name, outcome="not run", reason="the time for all parts was used up")
            failed.append(name)
            continue
        print(f"== {name} (at most {limit:.0f} s)", flush=True)
        begun = time.monotonic()
        problem = run_one(options, name, limit)
        seconds = round(time.monotonic() - begun, 1)
        note(options, name, outcome=problem or "done", seconds=seconds)
        print(f"   {problem or 'done'} after {seconds} s", flush=True)
        if problem:
            failed.append(name)
    return failed


def run_one(options: argparse.Namespace, name: str, limit: float) -> str:
    """Run one part in its own process; return what went wrong, or nothing."""
    command = [sys.executable, str(HERE), "--part", name, "--output", str(options.output)]
    command += ["--device", options.device]
    command += ["--data", str(options.data.resolve())] if options.data else []
    command += ["--rehearse"] if options.rehearse else []
    (options.output / f"{name}.json").unlink(missing_ok=True)
    log = options.output / f"{name}.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command,
            stdout=stream,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": python_path()},
        )
        try:
            code = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            return f"stopped at its limit of {limit:.0f} s; {log.name} and what was found are kept"
        finally:
            end_all(process)
    if code:
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        return f"failed with {code}: {' '.join(tail)[:300]} ({log.name})"
    return ""


def end_all(process: subprocess.Popen[bytes]) -> None:
    """Kill PROCESS and all that it started, which would go on using the device."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for one in [*family, process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()


def python_path() -> str:
    """Let each process find this checkout, installed or not."""
    return os.pathsep.join([str(HERE.parent.parent), os.environ.get("PYTHONPATH", "")])


def note(options: argparse.Namespace, name: str, **facts: object) -> None:
    Answers(options.output / f"{name}.json", keep=True).add(**facts)


def write_tables(options: argparse.Namespace) -> None:
    found = {}
    for name in options.only or PARTS:
        path = options.output / f"{name}.json"
        if path.is_file():
            found[name] = json.loads(path.read_text(encoding="utf-8"))
    (options.output / "gpu.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    text = tables(found, rehearsed=options.rehearse)
    (options.output / "gpu.md").write_text(text, encoding="utf-8")
    print(f"\n{text}\nwritten: {options.output / 'gpu.md'}")


if __name__ == "__main__":
    sys.exit(main())
