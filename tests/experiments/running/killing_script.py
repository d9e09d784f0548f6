"""Run one recipe undisturbed and once killed again and again: WORKSPACE KILLS SEED OVERRIDES…

Prints how many kills and how many steps there were. The processes are forked from one that has
imported what they need: each is a process of its own, and SIGKILL ends it wherever it is.
"""

import multiprocessing
import random
import sys
import time
from pathlib import Path

import psutil  # noqa: F401 - what each process would import for itself, as those below
import ruamel.yaml  # noqa: F401
import scipy.io  # noqa: F401
import torch._dynamo  # noqa: F401

from experiments.plotting import run_plots  # noqa: F401
from experiments.recipe.resolve import resolve
from experiments.running import (
    runner,
    stages,  # noqa: F401
)
from experiments.staleness.source_digest import code_digest
from experiments.workspace.workspace import Workspace

code_digest()  # kept from then on, in the processes too

LATE = ("evaluate", "benchmark")
"""Stages after the training in which the last kills fall."""


def work(root, overrides, tell):
    """Run the recipe as far as it comes; TELL hears of every step."""
    workspace = Workspace.open(Path(root))
    runner.run(
        workspace,
        resolve("smoke", workspace, overrides),
        on_progress=lambda one: tell.send((one.stage, one.done)),
    )
    tell.send(("sealed", 0))


def start(context, root, overrides):
    heard, tell = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(root, overrides, tell))
    process.start()
    tell.close()
    return process, heard


def follow(heard, moment=None):
    """Listen until MOMENT, a stage and a step of it, has come; return what was heard last."""
    last = ("", 0)
    try:
        while True:
            last = heard.recv()
            if moment and last[0] == moment[0] and last[1] >= moment[1]:
                return last
    except EOFError:
        return last


def moments(kills, steps, chance):
    """Draw when to kill: steps of the training in rising order, then one in each late stage."""
    drawn = sorted(chance.choices(range(1, steps + 1), k=kills - len(LATE)))
    return [*(("train", step) for step in drawn), *((stage, 1) for stage in LATE)]


def main(root, kills, seed, overrides):
    context = multiprocessing.get_context("fork")
    chance = random.Random(seed)
    process, heard = start(context, root, [*overrides, "name=whole"])
    steps, ended = 0, ("", 0)
    try:
        while True:
            ended = heard.recv()
            steps = max(steps, ended[1]) if ended[0] == "train" else steps
    except EOFError:
        process.join()
    if ended[0] != "sealed":
        sys.exit(f"the undisturbed run ended after {ended}")
    done = 0
    for moment in moments(kills, steps, chance):
        process, heard = start(context, root, [*overrides, "name=killed"])
        last = follow(heard, moment)
        time.sleep(chance.random() * 0.05)  # wherever it is by then: in a step, in a checkpoint
        process.kill()
        process.join()
        done += process.exitcode == -9
        if last[0] in ("sealed", ""):
            sys.exit(f"the run ended by itself before {moment}: {last}")
    process, heard = start(context, root, [*overrides, "name=killed"])
    ended = follow(heard)
    process.join()
    if ended[0] != "sealed":
        sys.exit(f"the run could not be finished: {ended}")
    print(done, steps)  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
