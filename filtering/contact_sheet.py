"""`photochat contact-sheet`: photos of a pool on one page, with their boxes and labels.

For those without FiftyOne: a PNG to look at or a web page in one file. Both draw the main object
in orange with a thick line and other boxes in blue, and say where a picture is missing.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import jinja2
import msgspec
from PIL import Image, ImageDraw, ImageFont

from filtering.rotation import recorded_turn, turned_box
from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.images import MAX_PIXELS, as_rgb, image_path, open_picture
from photochat.photo import Box, Photo
from photochat.themes import THEMES

PHOTOS = 48
COLUMNS = 6
SUFFIXES = (".png", ".html", ".htm")
THUMBNAIL_SIDE = 280  # pixels
MAIN_COLOUR = "#ff6d04"
OTHER_COLOUR = "#3d9bff"

_GAP = 12
_CAPTION_LINES = 3
_LINE = 16  # pixels from one line of a caption to the next
_TITLE_HEIGHT = 48
_PAPER, _INK, _FAINT = "#ffffff", "#1c1c1c", "#6b6b6b"
_TEMPLATE = Path(__file__).with_name("contact_sheet.html.j2")


class Tile(msgspec.Struct, frozen=True):
    """A photo as it is shown: its thumbnail, or the reason why there is none, and its boxes."""

    photo: Photo
    boxes: tuple[Box, ...]
    thumbnail: Image.Image | None
    problem: str | None = None

    @property
    def labels(self) -> str:
        """The labels of the boxes, the main objects' first and said to be so."""
        main = list(dict.fromkeys(f"{box.label} (main object)" for box in self.boxes if box.main))
        others = dict.fromkeys(box.label for box in self.boxes if not box.main)
        return ", ".join([*main, *others]) or ", ".join(self.photo.labels) or "no labels"

    @property
    def alt(self) -> str:
        """What a screen reader says in place of the picture."""
        state = f" ({self.problem})" if self.problem else ""
        return f"Photo {self.photo.photo_id}{state}: {self.labels}"


class SheetReport(msgspec.Struct, frozen=True):
    """What a sheet shows: `shown` of `matching` photos, some without a usable picture."""

    out: str
    matching: int
    shown: int
    missing_images: int
    broken_images: int


def choose(photos: Sequence[Photo], n: int, *, seed: int, theme: str | None = None) -> list[Photo]:
    """Return up to `n` photos at random, of one theme if given.

    The choice depends on the ids and the seed alone, not on the order of the rows.

    Raises:
        DataError: there is no such theme.
    """
    if theme is not None and theme not in THEMES:
        raise DataError(f"there is no theme {theme!r}: one of {', '.join(THEMES)}", field="--theme")
    fitting = [photo for photo in photos if theme is None or theme in photo.themes]

    def draw(photo: Photo) -> bytes:
        return hashlib.sha256(f"{seed}\n{photo.photo_id}".encode()).digest()

    return sorted(fitting, key=draw)[:n]


def tile(photo: Photo, images: str | Path) -> Tile:
    """Open a photo's picture, shrink it, and turn its boxes as the picture was turned."""
    path = image_path(images, photo.photo_id)
    try:
        thumbnail = as_rgb(open_picture(path))
    except DataError:
        problem = "not a picture" if path.exists() else "not downloaded"
        return Tile(photo, photo.boxes, None, problem)
    turn = recorded_turn(path)
    thumbnail.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return Tile(photo, tuple(turned_box(box, turn) for box in photo.boxes), thumbnail)


def contact_sheet(
    photos: Sequence[Photo],
    images: str | Path,
    out: str | Path,
    *,
    n: int = PHOTOS,
    seed: int = 0,
    theme: str | None = None,
    columns: int = COLUMNS,
) -> SheetReport:
    """Write a sheet of `n` photos as PNG or HTML, by the suffix of `out`.

    Raises:
        DataError: another suffix, no photo to show, a PNG too large to open, or `out` cannot be
            written.
    """
    suffix = Path(out).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError("must end in .png or .html", file=out, field="--out")
    chosen = choose(photos, n, seed=seed, theme=theme)
    if not chosen:
        raise DataError(f"no photo of the pool {f'has the theme {theme}' if theme else 'to show'}")
    matching = sum(theme is None or theme in photo.themes for photo in photos)
    title = f"{len(chosen):,} of {matching:,} photos"
    title += f", theme {theme}, seed {seed}" if theme else f", seed {seed}"
    columns = min(columns, len(chosen))
    if suffix == ".png":
        _check_size(len(chosen), columns)
    tiles = [tile(photo, images) for photo in chosen]
    with atomic_file(out) as part:
        if suffix == ".png":
            draw_png(tiles, title, columns).save(part, "PNG")
        else:
            part.write_text(render_html(tiles, title, columns), encoding="utf-8")
    return SheetReport(
        out=str(out),
        matching=matching,
        shown=len(tiles),
        missing_images=sum(shown.problem == "not downloaded" for shown in tiles),
        broken_images=sum(shown.problem == "not a picture" for shown in tiles),
    )


def _sheet_size(count: int, columns: int) -> tuple[int, int]:
    rows = -(-count // columns)
    width = _GAP + columns * (THUMBNAIL_SIDE + _GAP)
    return width, _TITLE_HEIGHT + rows * (THUMBNAIL_SIDE + _CAPTION_LINES * _LINE + 2 * _GAP)


def _check_size(count: int, columns: int) -> None:
    width, height = _sheet_size(count, columns)
    if width * height > MAX_PIXELS:
        raise DataError(
            f"{count:,} photos make a PNG of {width:,} x {height:,} pixels: "
            "show fewer with --n, or write .html"
        )


def draw_png(tiles: Sequence[Tile], title: str, columns: int) -> Image.Image:
    """Return the sheet as a picture, `columns` photos a row, captions of id and labels below."""
    sheet = Image.new("RGB", _sheet_size(len(tiles), columns), _PAPER)
    pen = ImageDraw.Draw(sheet)
    heading, small = ImageFont.load_default(size=22), ImageFont.load_default(size=13)
    pen.text((_GAP, _TITLE_HEIGHT / 2), title, fill=_INK, font=heading, anchor="lm")
    for number, shown in enumerate(tiles):
        row, column = divmod(number, columns)
        left = _GAP + column * (THUMBNAIL_SIDE + _GAP)
        top = _TITLE_HEIGHT + row * (THUMBNAIL_SIDE + _CAPTION_LINES * _LINE + 2 * _GAP)
        _draw_tile(sheet, pen, shown, left, top, small)
        below = top + THUMBNAIL_SIDE + 6
        pen.text((left, below), _fit(shown.photo.photo_id, small), fill=_FAINT, font=small)
        for line, text in enumerate(_wrap(shown.labels, small, _CAPTION_LINES - 1), start=1):
            pen.text((left, below + line * _LINE), text, fill=_INK, font=small)
    return sheet


_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _draw_tile(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, shown: Tile, left: int, top: int, font: _Font
) -> None:
    if shown.thumbnail is None:
        area = (left, top, left + THUMBNAIL_SIDE, top + THUMBNAIL_SIDE)
        pen.rectangle(area, fill="#e9e9e9", outline="#c4c4c4")
        middle = (left + THUMBNAIL_SIDE / 2, top + THUMBNAIL_SIDE / 2)
        pen.text(middle, shown.problem or "", fill=_FAINT, font=font, anchor="mm")
        return
    width, height = shown.thumbnail.size
    left, top = left + (THUMBNAIL_SIDE - width) // 2, top + (THUMBNAIL_SIDE - height) // 2
    sheet.paste(shown.thumbnail, (left, top))
    for box in sorted(shown.boxes, key=lambda box: box.main):  # the main object on top
        x, y = left + box.x_min * (width - 1), top + box.y_min * (height - 1)
        end = (left + box.x_max * (width - 1), top + box.y_max * (height - 1))
        colour = MAIN_COLOUR if box.main else OTHER_COLOUR
        pen.rectangle((x, y, *end), outline=colour, width=4 if box.main else 2)
        # The label stands inside the picture, whatever corner the box is in.
        text_width = pen.textlength(box.label, font=font) + 6
        x = max(left, min(x, left + width - text_width))
        pen.rectangle((x, y, x + text_width, y + _LINE), fill=colour)
        pen.text((x + 3, y + _LINE / 2), box.label, fill="#000000", font=font, anchor="lm")


def _fit(text: str, font: _Font) -> str:
    """Cut a line to the width of a thumbnail."""
    if font.getlength(text) <= THUMBNAIL_SIDE:
        return text
    while text and font.getlength(f"{text}...") > THUMBNAIL_SIDE:
        text = text[:-1]
    return f"{text}..."


def _wrap(text: str, font: _Font, lines: int) -> list[str]:
    """Break a text between words into at most `lines` lines of a thumbnail's width."""
    words, made = text.split(), [""]
    while words:
        longer = f"{made[-1]} {words[0]}".strip()
        if font.getlength(longer) <= THUMBNAIL_SIDE or not made[-1]:
            made[-1] = longer
        elif len(made) < lines:
            made.append(words[0])
        else:
            made[-1] = f"{made[-1]} {' '.join(words)}"
            break
        words.pop(0)
    return [_fit(line, font) for line in made]


def render_html(tiles: Sequence[Tile], title: str, columns: int) -> str:
    """Return the sheet as a web page that needs no other file; whatever data says is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"data_url": _data_url, "web_address": _web_address}
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        tiles=tiles,
        title=title,
        columns=columns,
        side=THUMBNAIL_SIDE,
        main_colour=MAIN_COLOUR,
        other_colour=OTHER_COLOUR,
    )


def _data_url(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.info = {}  # nothing of the original's metadata goes into the page
    picture.save(out, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


def _web_address(text: str | None) -> str | None:
    """Return an address of the web, and None for anything else (a script in a link's place)."""
    return text if text and text.lower().startswith(("https://", "http://")) else None
