"""What photochat evaluate does with a run of photochat train stickers."""

from __future__ import annotations

from pathlib import Path

from photochat.cli.computing import DeviceName, needs_models
from photochat.cli.output import note, print_json, print_table


def evaluate_stickers(
    data: Path,
    run: Path,
    split: str,
    *,
    device: DeviceName,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Measure a run on sticker conversations, and print what it reaches.

    Raises:
        DataError: no such split, no finished run, or the models extra is missing.
    """
    needs_models()
    from modeling.stickers.evaluate import evaluate_stickers as measure

    result = measure(data, run, split, device=device.value, resamples=resamples, seed=seed)
    if as_json:
        print_json(result)
    else:
        print_table(
            ["metric", "value", "low", "high", "by chance"],
            [
                [name, e.value, e.low, e.high, result.chance.get(name)]
                for name, e in result.metrics.items()
            ],
        )
        print()
        columns = list(result.by_intention[0].metrics)
        print_table(
            ["intention", "conversations", "stickers", *columns],
            [
                [row.intention, row.conversations, row.stickers, *row.metrics.values()]
                for row in result.by_intention
            ],
        )
    note(
        f"{result.conversations:,} conversations over {result.stickers:,} stickers; "
        f"report: {run / 'report.html'}"
    )
