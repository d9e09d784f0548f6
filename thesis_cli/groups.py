"""Click groups and commands of this program: imported late, with shared options."""

from __future__ import annotations

import contextlib
import importlib
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from thesis_cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from thesis_cli.command_table import LazyCommand

pass_session = click.make_pass_decorator(Session, ensure=True)


def shared_options() -> list[click.Parameter]:
    """Make the options that stand before or after any command's name."""
    return [
        click.Option(
            ["--workspace"],
            type=click.Path(path_type=Path),
            expose_value=False,
            callback=remember("root"),
            help="The workspace; default: THESIS_WORKSPACE, else found from here upwards.",
        ),
        click.Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            expose_value=False,
            callback=remember("color"),
            help="Colours; auto: on a terminal, unless NO_COLOR is set.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            default=None,
            expose_value=False,
            callback=remember("debug"),
            help="Show the traceback of a failure, and what libraries log.",
        ),
    ]


def output_option(taken: Iterable[str]) -> click.Option:
    """Make the option that writes a command's text to a file; TAKEN are the command's own names.

    Where --output is a picture, a page, a document or a folder already, it has its long name only.
    """
    names = [name for name in ("--output", "--output-text") if name not in {*taken}]
    return click.Option(
        names,
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        expose_value=False,
        callback=remember("output"),
        help="Write what would be printed to FILE, as UTF-8.",
    )


@contextlib.contextmanager
def answering(session: Session) -> Iterator[None]:
    """Set stdout, or the file of --output, aside for a command's data; prints go to stderr."""
    session.stdout = sys.stdout
    with contextlib.ExitStack() as stack:
        if session.output is not None:
            from thesis_cli.saving import saved

            session.stdout = stack.enter_context(saved(session.output, session.root))
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield


def remember(attribute: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Make a callback that keeps an option's value in the session, where one was given."""

    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value is not None:
            setattr(context.ensure_object(Session), attribute, value)

    return keep


class Command(click.Command):
    """A command that works: takes the shared options and keeps stdout for its data."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(output_option(name for each in self.params for name in each.opts))
        self.params.extend(shared_options())

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command with stdout set aside for its data."""
        session = ctx.ensure_object(Session)
        session.as_json = bool(ctx.params.get("as_json"))
        from featherface.filesystem.retry import patient

        waiting = patient(say=session.note)  # told on stderr, whichever file is waited for
        with answering(session), library_noise(shown=session.debug), waiting:
            return super().invoke(ctx)


@contextlib.contextmanager
def library_noise(*, shown: bool) -> Iterator[None]:
    """Hide what libraries warn and log, unless SHOWN; our own warnings go another way."""
    if shown or sys.warnoptions:
        yield
        return
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class CommandGroup(click.Group):
    """A group of verbs, such as `thesis runs`."""

    command_class = Command


class LazyGroup(CommandGroup):
    """A group whose commands are imported when they are asked for."""

    def __init__(self, *args: Any, late: Mapping[str, LazyCommand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.late = late

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        del ctx
        return list(self.late)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that is asked for."""
        del ctx
        if cmd_name not in self.late:
            return None
        module, _, attribute = self.late[cmd_name].target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - the table is ours
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a mistyped one is answered with the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            known = self.list_commands(ctx)
            raise click.NoSuchCommand(error.command_name, None, known, ctx) from error

    def summaries(self) -> list[tuple[str, str]]:
        """Give each command's line in help, without importing it."""
        return [(name, command.summary) for name, command in self.late.items()]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(self.summaries())


class DefaultGroup(LazyGroup):
    """A group that works without a verb too: then DEFAULT is the verb that was meant.

    `thesis export --format onnx` is `thesis export files --format onnx`.
    """

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the verb before ARGS that begin with an option."""
        if args and args[0].startswith("-") and args[0] not in self.get_help_option_names(ctx):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


class RootGroup(LazyGroup):
    """The root group: its commands are imported on demand, plugins last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(shared_options())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table, then the plugins."""
        from thesis_cli.plugins import names

        own = super().list_commands(ctx)
        return [*own, *(name for name in names() if name not in self.late)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that is asked for."""
        if cmd_name in self.late:
            return super().get_command(ctx, cmd_name)
        from thesis_cli.plugins import load

        return load(cmd_name, ctx.ensure_object(Session))

    def summaries(self) -> list[tuple[str, str]]:
        """Give each command's line in help, the plugins' last."""
        from thesis_cli.plugins import names

        return [
            *super().summaries(),
            *((name, f"from {origin}") for name, origin in names().items()),
        ]

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Run, and turn whatever goes wrong into a message and an exit code."""
        session = extra.setdefault("obj", Session())
        extra["prog_name"] = "thesis"
        extra["standalone_mode"] = False
        try:
            code = super().main(args, **extra)
        except Exception as error:  # noqa: BLE001 - the last place that can word it
            leave(error, session, args)
        except KeyboardInterrupt as error:
            leave(error, session, args)
        sys.exit(code if isinstance(code, int) else 0)


def leave(error: BaseException, session: Session, args: Sequence[str] | None) -> NoReturn:
    """Tell about ERROR and exit; the wording is imported only now that it is needed."""
    from thesis_cli import errors

    errors.leave(error, session, list(sys.argv[1:] if args is None else args))
