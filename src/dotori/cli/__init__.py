"""The command line: ``dotori train``, ``evaluate``, ``predict``, and so on."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; a mistake ends in one sentence and exit code 1."""
    from dotori.errors import DotoriError, need

    try:
        need("typer", "cli", "the command line")
        from dotori.cli.app import app

        app()
    except DotoriError as error:
        _fail(str(error))
    except OSError as error:
        name = f": {error.filename}" if error.filename else ""
        _fail(f"{error.strerror or error}{name}")
    except MemoryError:
        _fail("the memory is not enough; use fewer rows, columns or a smaller network")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)


def _fail(message: str) -> None:
    sys.stderr.write(f"error: {message}\n")
    sys.stderr.flush()
    if isinstance(sys.exc_info()[1], BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
