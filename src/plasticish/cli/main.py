"""The command ``plasticish``: its commands, and how errors reach a person."""

from __future__ import annotations

import errno
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .bench import bench
from .brain_scan import brain_scan
from .chat import chat
from .inspect import inspect
from .learn import learn
from .memory import memory
from .predict import predict
from .raise_ import raise_
from .resume import resume
from .train import train
from .why import why

__all__ = ["app", "main"]

ERROR_CODE = 2
# What no check can foresee of a path; the system's words say it, and name the path.
OF_THE_SYSTEM = {
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOTDIR),
}
INTERRUPTED_CODE = 130  # 128 + SIGINT, as shells have it


class ErrorsInOneLine(TyperGroup):
    """Print what went wrong as one line on stderr; a traceback is for what nobody foresaw."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            print("plasticish: stopped", file=sys.stderr)
            raise typer.Exit(INTERRUPTED_CODE) from None
        except Exception as error:
            if not _expected(error):
                raise
            print(f"plasticish: {' '.join(str(error).split())}", file=sys.stderr)
            raise typer.Exit(ERROR_CODE) from None


def _expected(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno in OF_THE_SYSTEM:
        return True
    # Only a command that loaded the library can have raised one; importing it here costs seconds.
    core = sys.modules.get("plasticish.core")
    return core is not None and isinstance(error, core.PlasticishError)


app = typer.Typer(
    cls=ErrorsInOneLine,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> bool:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("plasticish")
        except PackageNotFoundError:  # a source tree that was never installed
            found = "0+unknown"
        print(f"plasticish {found}")
        raise typer.Exit
    return wanted


@app.callback()
def plasticish(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and leave.",
            callback=_print_version,
            is_eager=True,
            show_default=False,
        ),
    ] = False,
) -> None:
    """Brains that learn one class after another, in one pass, and do not forget.

    Start here; it needs no data and no network, and takes a few seconds:

        plasticish learn

    A brain learns ten handwritten digits, two after two. You see how well it
    knew each pair when that was new, and how well it knows it now, beside an
    ordinary network on the same stream, which forgets. Then go on with your
    own pictures, in one sub-folder a class:

        plasticish learn folder:photos --out runs/pets
        plasticish predict runs/pets a_photo.jpg
        plasticish learn folder:more_photos --brain runs/pets
    """


for _command in (learn, predict, why, inspect, resume, train, bench):
    app.command()(_command)
app.add_typer(memory, name="memory")
app.command()(chat)
app.command("raise")(raise_)
app.command("brain-scan")(brain_scan)


def main() -> None:
    """Run the command line."""
    try:
        app(prog_name="plasticish")
    except KeyboardInterrupt:  # before a command had begun
        print("plasticish: stopped", file=sys.stderr)
        raise SystemExit(INTERRUPTED_CODE) from None
