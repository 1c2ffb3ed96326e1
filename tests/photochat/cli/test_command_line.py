"""The command line as a whole: quick to start, light, and kind to whoever stops it."""

import subprocess
import sys
from pathlib import Path

from photochat.cli import command_line
from tests.conftest import SAMPLE

HEAVY = {"torch", "fiftyone", "transformers", "matplotlib", "pandas", "pyarrow", "duckdb", "boto3"}
WRITTEN = {"FILE", "FILE.jsonl", "DIR", "RUN"}  # what --out may name


def commands(group=None, path=()):
    """Return every command by the words that call it; of a group its commands."""
    found = {}
    for name, command in (group or command_line()).commands.items():
        if hasattr(command, "commands"):
            found |= commands(command, (*path, name))
        else:
            found[(*path, name)] = command
    return found


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "photochat", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False, **options,
    )  # fmt: skip


def loaded_by(*arguments):
    """Return the heavy packages that a command imports."""
    code = (
        "import sys; from photochat.cli import main\n"
        f"sys.argv = {['photochat', *map(str, arguments)]!r}\n"
        "try: main()\n"
        f"except SystemExit: print('loaded', *({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    line = next(line for line in result.stderr.splitlines() if line.startswith("loaded"))
    return set(line.split()[1:])


def test_help_and_counting_import_nothing_heavy():
    assert loaded_by("--help") == set()
    assert loaded_by("stats", SAMPLE) == set()
    assert loaded_by("validate", SAMPLE) == set()


def test_every_command_has_help_with_an_example():
    for words, command in commands().items():
        name = " ".join(words)
        context = command.make_context(name, [], resilient_parsing=True)
        help_text = command.get_help(context)
        assert f"Example: photochat {name}" in " ".join(help_text.split()), name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_an_option_means_the_same_everywhere():
    """One name, one meaning: the words of its help are the same in every command."""
    said = {name: set() for name in ("--json", "--seed", "--images", "--device", "--force")}
    outs, databases = {}, {}
    for words, command in commands().items():
        for parameter in command.params:
            for option in said.keys() & set(parameter.opts):
                said[option].add((parameter.help, parameter.metavar))
            if "--out" in parameter.opts:
                outs[words] = parameter.metavar
            if "--db" in parameter.opts:
                databases[words] = (parameter.help, parameter.metavar)
    assert {option: len(found) for option, found in said.items()} == dict.fromkeys(said, 1)
    assert said["--json"] == {("Print the result as JSON.", None)}
    assert {words: what for words, what in outs.items() if what not in WRITTEN} == {}
    # A chat has one database, a review another; the emulated platform's is its own file.
    assert databases.pop(("mturk-emulator",))[1] == "FILE"
    assert set(databases.values()) == {
        (f"The {whose} database: sqlite:///FILE or postgresql://...", "URL")
        for whose in ("chat server's", "review's")
    }


def test_without_arguments_help_is_shown():
    result = run()
    assert "Usage: photochat" in result.stdout + result.stderr


def test_a_reader_that_goes_away_is_no_error():
    shell = f"{sys.executable} -m photochat stats {SAMPLE} --json | head -1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in result.stderr


def test_ctrl_c_ends_with_130_and_one_line():
    code = (
        "import photochat.release, sys\n"
        "def stop(*paths): raise KeyboardInterrupt\n"
        "photochat.release.read_release = stop\n"
        f"sys.argv = ['photochat', 'stats', {str(SAMPLE)!r}]\n"
        "from photochat.cli import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (130, "photochat: interrupted\n")


def test_what_the_system_refuses_is_one_line(tmp_path):
    """A name too long, a full disk behind stdout, a name that cannot be printed."""
    odd = tmp_path / "od\udcff.json"
    odd.write_bytes(SAMPLE.read_bytes())
    with Path("/dev/full").open("w") as full:
        refused = [
            run("stats", "a" * 300),
            subprocess.run(
                [sys.executable, "-m", "photochat", "stats", SAMPLE],
                stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            ),
            run("validate", odd, "--json"),
        ]  # fmt: skip
    assert [one.returncode for one in refused] == [2, 2, 2]
    assert [len(one.stderr.splitlines()) for one in refused] == [1, 1, 1], refused
    assert "too long" in refused[0].stderr
    assert "No space left" in refused[1].stderr
    assert "rename the file" in refused[2].stderr
