"""The command that runs the automatic checks: check."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochat.cli.output import note, print_table
from photochat.cli.progress import progress_bar

if TYPE_CHECKING:
    from verification.finding import Checked


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(check)


def check(
    path: Annotated[
        Path, typer.Argument(help="Dialogues (.json, .jsonl, .parquet).", metavar="FILE")
    ],
    out: Annotated[Path, typer.Option(help="Findings to write, JSON lines.", metavar="FILE")],
    report: Annotated[
        Path | None, typer.Option(help="Also write a report for people.", metavar="FILE.html")
    ] = None,
    models: Annotated[
        bool,
        typer.Option(
            "--models/--no-models",
            help="Use the sentence encoder and the language model, where they are installed.",
        ),
    ] = True,
    encoder: Annotated[
        str | None,
        typer.Option(help="A sentence encoder by name or folder.", metavar="MODEL"),
    ] = None,
    language_model: Annotated[
        str | None,
        typer.Option(help="A causal language model: name, folder, GGUF file.", metavar="MODEL"),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="Processes; one a core unless told otherwise.", min=1)
    ] = None,
) -> None:
    """Find what may be wrong with raw dialogues, for people to decide on.

    A line for every dialogue: broken rules, no evident association between talk and photo before
    the share, broken English, typos, inappropriate words, personal information, talk about the
    task, copies. Interrupted, and started again, it goes on where it was.

    Example: photochat check raw.jsonl --out findings.jsonl --report report.html
    """
    from verification.check import NO_MODELS, ModelNames, installed_models
    from verification.check import check as run
    from verification.report import rates, write_report

    found = installed_models() if models else NO_MODELS
    names = ModelNames(encoder or found.encoder, language_model or found.language_model)
    with progress_bar("checking") as progress:
        result = run(path, out, names, processes=processes, progress=progress)
    if report is not None:
        write_report(report, result.dialogues, result.checked, str(path))
    print_table(
        ["check", "reject", "review", "note", "% review or worse"],
        [
            [row.check, row.reject, row.review, row.note, row.percent]
            for row in rates(result.checked)
        ],
    )
    for what, count in _skipped(result.checked).items():
        note(f"skipped in {count:,} of {len(result.checked):,} dialogues: {what}")
    resumed = f" ({result.resumed:,} of them by an interrupted run)" if result.resumed else ""
    note(f"{len(result.checked):,} dialogues checked{resumed}; findings in {out}")


def _skipped(checked: list[Checked]) -> Counter[str]:
    return Counter(name for one in checked for name in one.skipped)
