"""The page about a pipeline: OUT/report.html, one file that needs no network."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.images import as_rgb, open_picture
from photochat.pipeline.sections import Answers, sections

if TYPE_CHECKING:
    from photochat.pipeline.run import Pipeline

REPORT_FILE = "report.html"
TEMPLATE = "report.html.j2"
PICTURE_WIDTH, SHEET_WIDTH = 360, 1200  # pixels
JPEG_QUALITY = 78


def write_report(pipeline: Pipeline) -> Path:
    """Write the page from what the stages have left so far; return where it is.

    Raises:
        DataError: it cannot be written, or something that a stage wrote is damaged.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    filters: dict[str, Callable[..., str]] = environment.filters
    filters["number"], filters["svg"] = _number, _svg
    filters["picture"], filters["sheet"] = picture, lambda file: picture(file, SHEET_WIDTH)
    text = (resources.files("photochat.pipeline") / TEMPLATE).read_text(encoding="utf-8")
    page = environment.from_string(text).render(
        settings=pipeline.settings,
        steps=[(stage, pipeline.state.finished.get(stage.name)) for stage in pipeline.stages],
        written=time.strftime("%Y-%m-%d %H:%M"),
        **sections(Answers(pipeline)),
    )
    file = pipeline.out / REPORT_FILE
    with atomic_file(file) as part:
        part.write_text(page, encoding="utf-8")
    return file


def picture(file: Path, width: int = PICTURE_WIDTH) -> str:
    """Return a picture, made small, as the address of itself; "" where there is none."""
    try:
        shown = as_rgb(open_picture(file))
    except DataError:
        return ""
    shown.thumbnail((width, 4 * width))
    made = io.BytesIO()
    shown.save(made, "JPEG", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(made.getvalue()).decode()}"


def _svg(file: Path) -> str:
    """Return a drawing as the address of itself; "" where there is none."""
    if not file.is_file():
        return ""
    return f"data:image/svg+xml;base64,{base64.b64encode(file.read_bytes()).decode()}"


def _number(value: object, digits: int = 1) -> str:
    if value is None:
        return "–"
    return f"{value:,.{digits}f}" if isinstance(value, float) else f"{value:,}"
