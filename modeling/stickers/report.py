"""HTML for reading: what a run reaches, its precision-recall curve, what it answers."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from modeling.pages import flat_settings, learning_curves, write_page
from modeling.stickers.examples import STICKER_FORMATS, Gallery, StickerExamples
from modeling.stickers.measures import Scored
from modeling.stickers.texts import spoken
from modeling.training.log import read_log
from photochat.images import as_rgb, open_picture

if TYPE_CHECKING:
    from modeling.stickers.evaluate import CurvePoint, StickerEvaluation

SHOWN_CONVERSATIONS = 12
SHOWN_STICKERS = 5  # section 5.1 looks at the first five
SHOWN_DEV = ("map", "precision@1", "intention_accuracy")
_SIDE = 96  # pixels


class _Picture(NamedTuple):
    name: str
    intentions: str
    right: bool
    source: str


class _Answer(NamedTuple):
    conversation_id: int | str
    turns: list[str]
    intention: str
    guessed: str | None
    gold: _Picture
    best: list[_Picture]


def write_report(
    file: Path,
    result: StickerEvaluation,
    examples: StickerExamples,
    gallery: Gallery,
    found: Scored,
    folder: Path,
) -> None:
    """Write the report of one evaluation.

    Raises:
        DataError: the file cannot be written.
    """
    write_page(
        file,
        "modeling.stickers",
        "report.html.j2",
        title=f"{folder.name}: {result.split}",
        result=result,
        settings=flat_settings(result.run.settings),
        learning=learning_curves(read_log(folder), SHOWN_DEV),
        curve=draw_curve(result.curve, result.chance["precision@1"]),
        answers=_answers(result, examples, gallery, found),
    )


def draw_curve(curve: list[CurvePoint], chance: float) -> str:
    """Draw precision over recall as SVG, with a line where a random order stands."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([p.recall for p in curve], [p.precision for p in curve], color="#4269d0")
    axes.axhline(chance, color="#bbbbbb", linestyle="--", label="by chance")
    axes.set(xlabel="recall", ylabel="precision, %", xlim=(0, 1), ylim=(0, 100))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "precision-recall"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue().partition("<svg")[1] + buffer.getvalue().partition("<svg")[2]


def _answers(
    result: StickerEvaluation, examples: StickerExamples, gallery: Gallery, found: Scored
) -> list[_Answer]:
    """Return what is answered to conversations spread evenly over the split."""
    count = min(SHOWN_CONVERSATIONS, len(examples))
    answers = []
    for i in [j * len(examples) // count for j in range(count)]:
        one = examples.conversations[i]
        best = found.scores[i].topk(min(SHOWN_STICKERS, len(gallery.stickers))).indices.tolist()
        tags = result.run.settings.intentions
        answers.append(
            _Answer(
                one.conversation_id,
                spoken(one),
                one.intention,
                None if found.tags is None else tags[int(found.tags[i])],
                _picture(gallery, examples.gold[i], one.intention),
                [_picture(gallery, sticker, one.intention) for sticker in best],
            )
        )
    return answers


def _picture(gallery: Gallery, place: int, intention: str) -> _Picture:
    one = gallery.stickers[place]
    small: Image.Image = as_rgb(open_picture(one.picture, formats=STICKER_FORMATS))
    small.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    tags = ", ".join(sorted(one.intentions)) or "answers nothing here"
    return _Picture(one.sticker_id, tags, intention in one.intentions, source)
