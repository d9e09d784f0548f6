"""A service under many uploads at once: what it answers, how fast, in how much memory.

    python benchmarks/serving.py [--clients 200] [--seconds 120] [--weights FILE] [--json FILE]
                                 [-- OPTIONS OF thesis serve]

Starts `thesis serve` on 127.0.0.1 and a free port, and no other machine is spoken to. The clients
send what PLAN holds, good and bad, each waiting for its answer; who is told to come back does so
after Retry-After. In the end SIGTERM comes while pictures are in flight: each must be answered,
nothing new taken, and the exit code 0.

A line says for each kind of request which statuses came and how long the answers took; whatever
else than the expected statuses comes is counted as wrong, and the exit code is 1 then. 408 and 504
are right everywhere: on a busy machine uploads and answers are late. Without
--weights the network is untrained, which takes the same time. Memory is the resident set of the
service, looked at twice a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from serving_parts.exchange import CLOSED, exchange
from serving_parts.requests import PLAN, slow_requests

from featherface.networks.detector import build
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parents[1]
NETWORK = "v3-nano"
MOST_CLIENTS, MOST_SECONDS = 400, 600
IN_FLIGHT = 12
"""Pictures on their way when SIGTERM comes."""
LIMITS = ["--upload-timeout", "8", "--max-megabytes", "8", "--max-megapixels", "12"]
START_SECONDS = 300
LATE = (408, 504)
"""Statuses that are right where the machine is too busy to send or to answer in time."""


def main() -> int:
    options = parse()
    for request in PLAN.values():
        request.body()  # made once, before anybody waits
    with tempfile.TemporaryDirectory() as folder:
        weights = options.weights or untrained(Path(folder))
        with service(weights, options.options, Path(folder) / "log.txt") as (process, port):
            report = asyncio.run(attack(process, port, options.clients, options.seconds))
        log = (Path(folder) / "log.txt").read_text(encoding="utf-8")
    report["tracebacks"] = log.count("Traceback")
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return int(bool(report["wrong"] or report["tracebacks"] or report["stop"]["wrong"]))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("options", nargs="*", help="after --, for thesis serve")
    options = parser.parse_args()
    if not (0 < options.clients <= MOST_CLIENTS and 0 < options.seconds <= MOST_SECONDS):
        parser.error(f"at most {MOST_CLIENTS} clients for at most {MOST_SECONDS} seconds")
    return options


def untrained(folder: Path) -> Path:
    """Write the weights of an untrained network, with its settings."""
    path = folder / "untrained.safetensors"
    save_weights(path, build(variant(NETWORK), seed=0), {"variant": NETWORK})
    return path


@contextlib.contextmanager
def service(
    weights: Path, options: list[str], log: Path
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start `thesis serve` on a free port of this machine; end it whatever happens."""
    command = [sys.executable, "-m", "thesis_cli", "serve", "--weights", str(weights)]
    command += ["--host", "127.0.0.1", "--port", "0", *LIMITS, *options]
    with log.open("wb") as stderr, subprocess.Popen(command, cwd=HERE, stderr=stderr) as process:
        try:
            yield process, wait_for_port(process, log)
        finally:
            if process.poll() is None:
                process.kill()


def wait_for_port(process: subprocess.Popen[bytes], log: Path) -> int:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if told := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text(encoding="utf-8")):
            return int(told[1])
        time.sleep(0.2)
    raise SystemExit(f"the service did not start:\n{log.read_text(encoding='utf-8')}")


async def attack(process: subprocess.Popen[bytes], port: int, clients: int, seconds: float) -> dict:
    """Send requests for SECONDS, then stop the service; return what came back."""
    until = time.monotonic() + seconds
    seen = defaultdict(list)
    memory: list[float] = []
    watching = asyncio.create_task(watch(process.pid, port, memory, seen))
    await asyncio.gather(*(client(port, until, seen, number) for number in range(clients)))
    watching.cancel()
    stop = await stopped(process, port)
    wrong = {
        kind: sorted({str(status) for status, _, right in answers if not right})
        for kind, answers in seen.items()
        if not all(right for _, _, right in answers)
    }
    return {
        "clients": clients,
        "seconds": seconds,
        "kinds": {kind: summary(answers) for kind, answers in sorted(seen.items())},
        "wrong": wrong,
        "memory_mb": memory_summary(memory),
        "stop": stop,
    }


async def client(port: int, until: float, seen: dict, number: int) -> None:
    """Send one request after the other, of kinds drawn by PLAN's shares."""
    draw = random.Random(number)
    kinds, shares = list(PLAN), [request.share for request in PLAN.values()]
    await asyncio.sleep(draw.random())
    while time.monotonic() < until:
        kind = draw.choices(kinds, shares)[0]
        request = PLAN[kind]
        began = time.monotonic()
        answer = await exchange(port, request)
        right = answer.status in (*request.expected, *LATE) or answer.busy
        seen[kind].append((answer.status, time.monotonic() - began, right and answer.well_formed))
        await asyncio.sleep(1.0 if answer.busy else 0.0)


async def watch(pid: int, port: int, memory: list[float], seen: dict) -> None:
    """Look at memory, and whether the service says that it is well, twice a second."""
    process = psutil.Process(pid)
    while True:
        memory.append(process.memory_info().rss / 1e6)
        began = time.monotonic()
        answer = await exchange(port, PLAN["health"])
        seen["health"].append((answer.status, time.monotonic() - began, answer.status == 200))
        await asyncio.sleep(0.5)


async def stopped(process: subprocess.Popen[bytes], port: int) -> dict:
    """Send SIGTERM with pictures in flight; tell what became of them and of the process."""
    await asyncio.sleep(1.0)
    request = PLAN["picture"]
    flying = [asyncio.create_task(exchange(port, request)) for _ in range(IN_FLIGHT)]
    hanging = [asyncio.create_task(exchange(port, each)) for each in slow_requests()]
    await asyncio.sleep(0.3)
    began = time.monotonic()
    in_flight = sum(not task.done() for task in flying)
    process.terminate()
    await asyncio.sleep(0.5)
    late = await exchange(port, request)
    answers = [answer.status for answer in await asyncio.gather(*flying)]
    slow = [answer.status for answer in await asyncio.gather(*hanging)]
    code = await asyncio.to_thread(process.wait, 120)
    right = set(answers) == {200} and late.status in (503, CLOSED) and code == 0
    return {
        "in_flight": in_flight,
        "answers": dict(Counter(map(str, answers))),
        "slow": dict(Counter(map(str, slow))),
        "a_later_one": late.status,
        "exit_code": code,
        "seconds": time.monotonic() - began,
        "wrong": not right,
    }


def summary(answers: list) -> dict:
    statuses = Counter(str(status) for status, _, _ in answers)
    wanted = sorted(seconds for status, seconds, _ in answers if status != 503)
    shares = {"p50": 0.5, "p99": 0.99}
    times = {
        name: 1000 * wanted[min(len(wanted) - 1, int(share * len(wanted)))] if wanted else None
        for name, share in shares.items()
    }
    return {"statuses": dict(statuses.most_common()), "answered_ms": times}


def memory_summary(memory: list[float]) -> dict:
    """Return the start, and the most in each quarter of the time."""
    size = max(1, -(-len(memory) // 4))
    quarters = [max(memory[place : place + size]) for place in range(0, len(memory), size)]
    return {"start": memory[0], "most_by_quarter": quarters, "end": memory[-1]}


def show(report: dict) -> None:
    print(f"{report['clients']} clients for {report['seconds']:g} s")
    for kind, told in report["kinds"].items():
        times = told["answered_ms"]
        shown = [f"{name} {value:.0f} ms" for name, value in times.items() if value is not None]
        print(f"{kind:14} {told['statuses']}  {', '.join(shown)}")
    memory = report["memory_mb"]
    quarters = ", ".join(f"{value:.0f}" for value in memory["most_by_quarter"])
    print(f"memory: {memory['start']:.0f} MB at first, at most {quarters} in each quarter")
    print(f"stop: {report['stop']}")
    print(f"wrong: {report['wrong'] or 'nothing'}; tracebacks: {report['tracebacks']}")


if __name__ == "__main__":
    sys.exit(main())
