"""Write docs/commands.md from the commands' own help: `python docs/reference.py`."""

from __future__ import annotations

from pathlib import Path

import typer

from photochat.cli import app

OUT = Path(__file__).parent / "commands.md"
HEAD = """# Commands

This page is what `--help` prints, written by `python docs/reference.py`.
"""


def reference() -> str:
    """Return the page: each command's help, in the order of `photochat --help`."""
    group = typer.main.get_command(app)
    parts = [HEAD]
    for name, command in group.commands.items():
        context = command.make_context(name, [], resilient_parsing=True)
        context.info_name = f"photochat {name}"
        context.terminal_width = context.max_content_width = 88
        parts.append(f"## photochat {name}\n\n```\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    OUT.write_text(reference())
