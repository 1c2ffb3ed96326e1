"""Commands that run the whole chain by a pipeline file: pipeline run, pipeline status."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photochat.cli.output import AsJson, note, print_json, print_table
from photochat.cli.typed import announce, listen

if TYPE_CHECKING:
    from photochat.pipeline.run import Pipeline
    from photochat.pipeline.stages import Stage

File = Annotated[Path, typer.Argument(help="The pipeline file.", metavar="PIPELINE.toml")]

pipeline = typer.Typer(
    help="""Run the whole chain on your own files, by a pipeline file.

    Example: photochat pipeline run pipeline.toml --dry-run""",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(pipeline, name="pipeline")


@pipeline.command("run")
def run_(
    context: typer.Context,
    file: File,
    first: Annotated[
        str | None, typer.Option("--from", help="Run this stage and later ones anyhow.")
    ] = None,
    last: Annotated[str | None, typer.Option("--until", help="The last stage to run.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be run and why, and run nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the stages of a pipeline file, each if something that it depends on has changed.

    That is its input files, its settings or the toolkit. Stopped or killed at any moment, the same
    command goes on. What is made stands in the file's folder `out`; report.html there shows it.

    Example: photochat pipeline run pipeline.toml --until decide
    """
    opened = open_pipeline(file)
    if dry_run:
        _show(opened, first, last, as_json)
        return
    result = run_pipeline(opened, context.find_root().command, first=first, last=last)
    if as_json:
        print_json(result)


@pipeline.command()
def status(file: File, as_json: AsJson = False) -> None:
    """Show the stages of a pipeline file: when they ran, how long, and what has changed since.

    Example: photochat pipeline status pipeline.toml
    """
    opened = open_pipeline(file)
    rows = []
    for step in opened.plan():
        done = opened.state.finished.get(step.stage.name)
        rows.append(
            {
                "stage": step.stage.name,
                "state": _word(step.why, step.perhaps) or "done",
                "finished": _when(done.at) if done else None,
                "seconds": done.seconds if done else None,
            }
        )
    if as_json:
        print_json(rows)
    else:
        print_table(["stage", "state", "finished", "seconds"], [[*row.values()] for row in rows])


def run_pipeline(
    opened: Pipeline,
    root: Any,
    *,
    first: str | None = None,
    last: str | None = None,
    quiet: bool = False,
) -> dict[str, object]:
    """Run an opened pipeline and show each command; return what was run.

    At the end the report is written, and unless it is `quiet` the last line says where.
    """
    from photochat.pipeline.plan import NOT_DONE
    from photochat.pipeline.report import write_report

    start = time.monotonic()

    def say(stage: Stage, reason: str) -> None:
        if reason:
            again = "" if reason == NOT_DONE else f": {reason}"
            announce(f"{stage.title} ({stage.name}{again})", stage.words)

    done = opened.run(lambda words: listen(root, words), first=first, last=last, say=say)
    report = write_report(opened)
    if not quiet:
        note(
            f"\n{len(done)} of {len(opened.stages)} stages run in "
            f"{time.monotonic() - start:.0f} s; open {report} in a browser"
        )
    return {"run": done, "report": str(report)}


def open_pipeline(file: Path) -> Pipeline:
    """Read a pipeline file and what is finished of it."""
    from photochat.pipeline.run import Pipeline
    from photochat.pipeline.settings import read_settings

    return Pipeline(read_settings(file), file.parent)


def _show(opened: Pipeline, first: str | None, last: str | None, as_json: bool) -> None:
    import shlex

    steps = opened.plan(first, last)
    if as_json:
        print_json(
            [
                {"stage": s.stage.name, "why": s.why, "perhaps": s.perhaps, "words": s.stage.words}
                for s in steps
            ]
        )
        return
    for step in steps:
        print(f"{step.stage.name}: {_word(step.why, step.perhaps) or 'nothing to do'}")
        if step.why:
            print(f"  photochat {shlex.join(step.stage.words)}")


def _word(why: str, perhaps: bool) -> str:
    return f"perhaps, {why}" if perhaps else f"runs: {why}" if why else ""


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
