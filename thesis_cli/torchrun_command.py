"""Commands whose trainings are shared among torchrun's processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.running import distributed
from thesis_cli.errors import INTERRUPTED
from thesis_cli.groups import Command, library_noise
from thesis_cli.interrupts import stoppable

if TYPE_CHECKING:
    import click


class SharedVerb(Command):
    """A command that only the first process works; the others train along and say nothing."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line, or follow the process that does."""
        if distributed.Launch.from_environment().is_follower and not ctx.resilient_parsing:
            follow(ctx)
        try:
            return super().parse_args(ctx, args)
        except BaseException:
            distributed.release_followers()
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and let the others go however it ends."""
        try:
            return super().invoke(ctx)
        finally:
            distributed.release_followers()


def follow(ctx: click.Context) -> None:
    """Train along until the first process lets this one go, and leave."""
    from experiments.running.distributed_worker import follow
    from featherface.errors import InterruptedRunError

    with library_noise(shown=False), stoppable(quiet=True) as should_stop:
        try:
            follow(should_stop)
        except InterruptedRunError:
            ctx.exit(INTERRUPTED)
    ctx.exit()
