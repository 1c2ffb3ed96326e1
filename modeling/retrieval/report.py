"""The report of one evaluation: what a run reaches, how it learnt, where it errs."""

from __future__ import annotations

from pathlib import Path

from modeling.pages import flat_settings, learning_curves, write_page
from modeling.retrieval.results import RetrievalEvaluation
from modeling.training.log import read_log

SHOWN_DEV = ("recall@1", "recall@5", "recall@10", "mrr")
SHOWN_PROBLEMS = 30


def write_report(
    file: Path, result: RetrievalEvaluation, folder: Path, problems: dict[str, str]
) -> None:
    """Write the report; `problems` says, by photo key, why a picture is missing.

    Raises:
        DataError: the file cannot be written.
    """
    write_page(
        file,
        "modeling.retrieval",
        "report.html.j2",
        title=f"{folder.name}: {result.split}",
        result=result,
        settings=flat_settings(result.run.settings),
        curves=learning_curves(read_log(folder), SHOWN_DEV),
        problems=dict(sorted(problems.items())[:SHOWN_PROBLEMS]),
        problem_count=len(problems),
    )
