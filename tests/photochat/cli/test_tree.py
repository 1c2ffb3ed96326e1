"""Commands are made when they are asked for, and are those that Typer makes of all at once."""

from __future__ import annotations

import pytest
import typer

from photochat.cli import app
from photochat.cli.tree import Tree

WHOLE = typer.main.get_command(app)


def help_of(command, name):
    return command.get_help(command.context_class(command, info_name=name))


def test_the_help_is_the_same():
    assert help_of(Tree(app), "photochat") == help_of(WHOLE, "photochat")


@pytest.mark.parametrize("name", list(WHOLE.commands))
def test_a_command_is_the_same(name):
    one, other = Tree(app).commands[name], WHOLE.commands[name]
    assert help_of(one, name) == help_of(other, name)
    for sub in getattr(other, "commands", {}):
        assert help_of(one.commands[sub], sub) == help_of(other.commands[sub], sub)


def test_only_what_is_asked_for_is_made():
    tree = Tree(app)
    help_of(tree, "photochat")
    assert not tree.commands._made
    assert tree.get_command(None, "stats") is tree.get_command(None, "stats")
    assert list(tree.commands._made) == ["stats"]
    assert tree.get_command(None, "nothing of the kind") is None
    assert list(tree.commands) == list(WHOLE.commands)
