"""The command line: its commands, and the one place where every failure becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer

from nnctl import __version__
from nnctl.cli.commands import (
    check_command,
    eval_command,
    explain_command,
    export_command,
    gradcheck_command,
    inspect_command,
    landscape_command,
    list_command,
    predict_command,
    schema_command,
    show_command,
    train_command,
)
from nnctl.cli.failures import BROKEN_PIPE, BUG, Failure, failure_of
from nnctl.cli.output import print_json, print_problems
from nnctl.cli.terminal import err

# Without markup modes and pretty exceptions typer does not import rich, which would cost a third of `--help`'s time.
app = typer.Typer(
    name="nnctl",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    suggest_commands=False,  # the error boundary does, in the words of all other errors
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try: nnctl check SPEC, then nnctl train SPEC. `nnctl COMMAND --help` shows examples.",
)

app.command("train")(train_command.run)
app.command("eval")(eval_command.run)
app.command("evaluate", hidden=True)(eval_command.run)
app.command("predict")(predict_command.run)
app.command("inspect")(inspect_command.run)
app.command("gradcheck")(gradcheck_command.run)
app.command("landscape")(landscape_command.run)
app.command("export")(export_command.run)
app.command("check")(check_command.run)
app.command("show")(show_command.run)
app.command("list")(list_command.run)
app.command("explain")(explain_command.run)
app.command("schema")(schema_command.run)


@app.callback(invoke_without_command=True)
def nnctl(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Describe a neural network, its data and its recipe in one YAML file; check, train and diagnose it."""
    if version:
        typer.echo(f"nnctl {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code that design and README list."""
    arguments = sys.argv[1:] if arguments is None else arguments
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for plug-ins takes a tenth of `check`'s time
    try:
        code = _run(arguments)
    except (Exception, KeyboardInterrupt) as error:
        failure = failure_of(error, [command.name or "" for command in app.registered_commands if not command.hidden])
        if failure.exit_code == BUG:
            traceback.print_exc()
        code = _tell(failure, as_json="--json" in arguments)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """Run a command and return its exit code; typer's own `main` would answer some failures itself."""
    command = typer.main.get_command(app)
    try:
        with command.make_context("nnctl", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as exit:
        return exit.exit_code
    return 0


def _tell(failure: Failure, as_json: bool) -> int:
    """Print a failure, on stdout as JSON or on stderr as text, and return its exit code."""
    try:
        if as_json and failure.problems:
            print_json({"errors": [problem.as_json() for problem in failure.problems]})
        else:
            print_problems(failure.problems)
            if len(failure.problems) > 1:
                err().print(f"\n{len(failure.problems)} errors")
    except BrokenPipeError:
        failure = Failure(BROKEN_PIPE)
    if failure.exit_code == BROKEN_PIPE:  # what is still buffered must not raise once more as Python exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return failure.exit_code
