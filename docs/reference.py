"""Write docs/commands.md from the commands' own help: `python docs/reference.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from photochat.cli import command_line

OUT = Path(__file__).parent / "commands.md"
HEAD = """# Commands

This page is what `--help` prints, written by `python docs/reference.py`.
"""


def commands(group: Any, path: str = "photochat") -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name, in the order of `--help`; groups before theirs."""
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")


def reference() -> str:
    """Return the page: each command's help, in the order of `photochat --help`."""
    parts = [HEAD]
    for name, command in commands(command_line()):
        context = command.make_context(name, [], resilient_parsing=True)
        context.info_name = name
        context.terminal_width = context.max_content_width = 88
        parts.append(f"## {name}\n\n```\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    OUT.write_text(reference())
