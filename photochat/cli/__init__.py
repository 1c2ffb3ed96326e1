"""The `photochat` command: it parses, calls one function of the same name, and prints.

The only place that knows all stages. Each command imports what it runs when it runs, so that
`photochat --help` stays quick and nobody needs torch to count dialogues.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import NoReturn

import typer

from photochat.cli import (
    campaign,
    check,
    collection,
    data,
    demo,
    describe,
    evaluation,
    filtering,
    hit,
    make_dialogues,
    mturk_emulator,
    photos,
    pipeline,
    rehearse,
    review,
    search,
    simulate,
    stickers,
    training,
)
from photochat.cli.tree import Tree
from photochat.errors import DataError

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_UNUSABLE = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="photochat",
    help="Make photo-sharing dialogue data sets: select, collect, verify, split, train.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for commands in (
    filtering,
    photos,
    collection,
    simulate,
    rehearse,
    campaign,
    hit,
    mturk_emulator,
    make_dialogues,
    check,
    review,
    data,
    stickers,
    describe,
    training,
    evaluation,
    search,
    pipeline,
    demo,
):
    commands.register(app)


@functools.cache
def command_line() -> Tree:
    """Return the tree of commands."""
    return Tree(app)


def main() -> NoReturn:
    """Run the command line; every failure that a user can mend is one line and exit status 2."""
    try:
        status = command_line().main(
            sys.argv[1:] or ["--help"], prog_name="photochat", standalone_mode=False
        )
        sys.stdout.flush()
    except DataError as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        status = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): close stdout quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_CLEAN)
    except OSError as error:
        # A folder that may not be entered, a disk that is full: what no command foresees by name.
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")
    except UnicodeEncodeError:
        _fail("a name holds what is no UTF-8 and cannot be printed: rename the file")
    except Exception as error:
        # Usage errors of the parser: an unknown option, a missing argument, a value out of range.
        if not hasattr(error, "format_message"):
            raise
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "photochat"
        _fail(f"{error.format_message()} (see {where} --help)")
    if status == EXIT_INTERRUPTED:
        print("photochat: interrupted", file=sys.stderr)
    sys.exit(status or EXIT_CLEAN)


def _fail(line: str) -> NoReturn:
    print(f"photochat: {' '.join(line.split())}", file=sys.stderr)
    sys.exit(EXIT_UNUSABLE)
