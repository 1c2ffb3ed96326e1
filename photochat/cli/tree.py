"""The tree of commands, each made when it is asked for: a run needs one of fifty.

To make one, its function's signature is read and every annotation evaluated; for all of them that
takes longer than everything else that a short command does.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_command_name
from typer.models import CommandInfo, TyperInfo

from photochat.cli.overwriting import Command


class Tree(TyperGroup):
    """The root: as Typer would make it, but for when its commands are made."""

    def __init__(self, app: typer.Typer) -> None:
        self._registered = _registered(app)
        super().__init__(
            name=str(app.info.name),
            help=str(app.info.help),
            rich_markup_mode=None,
        )
        self.commands = _Commands(self._registered)  # type: ignore[assignment]  # only read

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands, without making them."""
        limit = formatter.width - 6 - max(map(len, self._registered))
        rows = [
            (name, TyperCommand(name, help=_help(info)).get_short_help_str(limit))
            for name, info in self._registered.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class _Commands(Mapping[str, Any]):
    """Commands by their names."""

    def __init__(self, registered: Mapping[str, CommandInfo | TyperInfo]) -> None:
        self._registered = registered
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _make(name, self._registered[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._registered)

    def __len__(self) -> int:
        return len(self._registered)


def _registered(app: typer.Typer) -> dict[str, CommandInfo | TyperInfo]:
    commands: dict[str, CommandInfo | TyperInfo] = {}
    for command in app.registered_commands:
        assert command.callback is not None
        commands[command.name or get_command_name(command.callback.__name__)] = command
    return commands | {str(group.name): group for group in app.registered_groups}


def _make(name: str, info: CommandInfo | TyperInfo) -> Any:
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(info, CommandInfo):
        info.cls = Command
        alone.registered_commands.append(info)
        return get_command(alone)
    assert info.typer_instance is not None
    for command in info.typer_instance.registered_commands:
        command.cls = Command
    alone.registered_groups.append(info)
    group: Any = get_command(alone)
    return group.commands[name]


def _help(info: CommandInfo | TyperInfo) -> str:
    if isinstance(info, CommandInfo):
        return info.help or inspect.getdoc(info.callback) or ""
    assert info.typer_instance is not None
    return inspect.cleandoc(str(info.typer_instance.info.help))
