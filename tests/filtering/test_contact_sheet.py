"""`photochat contact-sheet`: the choice of photos, the drawn page and the web page."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from filtering.contact_sheet import (
    MAIN_COLOUR,
    OTHER_COLOUR,
    choose,
    contact_sheet,
    render_html,
    tile,
)
from filtering.fetch import upright_picture
from photochat.errors import DataError
from photochat.images import image_path
from photochat.photo import Box, Photo
from photochat.pool import write_pool
from tests.filtering.pictures import encoded, photo, real_picture

MAIN, OTHER = ImageColor.getrgb(MAIN_COLOUR), ImageColor.getrgb(OTHER_COLOUR)


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def put(images: Path, one: Photo, data: bytes) -> None:
    place = image_path(images, one.photo_id)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


@given(st.permutations([photo(number) for number in range(9)]), st.integers(0, 9), st.integers())
def test_choice_depends_on_ids_and_seed_alone(order: list[Photo], n: int, seed: int) -> None:
    """Whatever the order of the rows, the same seed shows the same photos in the same order."""
    chosen = choose(order, n, seed=seed)
    assert chosen == choose(sorted(order, key=lambda one: one.photo_id), n, seed=seed)
    assert len({one.photo_id for one in chosen}) == n


def test_seeds_differ() -> None:
    """Another seed makes another choice."""
    photos = [photo(number) for number in range(100)]
    assert choose(photos, 10, seed=0) != choose(photos, 10, seed=1)


def test_theme_narrows_the_choice() -> None:
    """With a theme only its photos are shown; an unknown theme is bad input."""
    photos = [photo(1), photo(2, themes=("food", "people")), photo(3, themes=("people",))]
    assert {one.photo_id for one in choose(photos, 9, seed=0, theme="people")} == {
        photos[1].photo_id, photos[2].photo_id
    }  # fmt: skip
    with pytest.raises(DataError, match="no theme 'cars': one of people, food, animal, product"):
        choose(photos, 9, seed=0, theme="cars")


def test_png_shows_boxes_over_the_picture(tmp_path: Path) -> None:
    """The main object's frame is drawn in its colour where the box lies, others in theirs."""
    dog = Box("Dog", "", 0.5, 0.9, 0.5, 0.9, main=True)
    one = photo(1, boxes=(dog, Box("Cup", "", 0.1, 0.3, 0.1, 0.3)))
    put(tmp_path, one, encoded(Image.new("RGB", (560, 560), "white")))
    contact_sheet([one], tmp_path, tmp_path / "sheet.png")
    sheet = Image.open(tmp_path / "sheet.png")
    # A thumbnail of 280 pixels whose upper left corner is at (12, 48).
    assert sheet.getpixel((12 + 200, 48 + 252 - 2)) == MAIN
    assert sheet.getpixel((12 + 252 - 2, 48 + 200)) == MAIN
    assert sheet.getpixel((12 + 60, 48 + 84 - 1)) == OTHER
    assert sheet.getpixel((12 + 200, 48 + 200)) == (255, 255, 255)


def test_boxes_turn_with_turned_pictures(tmp_path: Path) -> None:
    """On a picture that was turned upright the box surrounds the same thing as before."""
    stored = Image.new("RGB", (400, 300), "white")
    stored.paste((200, 0, 0), (0, 0, 100, 150))  # the thing: upper left
    one = photo(1, rotation=90.0, boxes=(Box("Dog", "", 0.0, 0.25, 0.0, 0.5),))
    put(tmp_path, one, upright_picture(encoded(stored), one.rotation).data)
    shown = tile(one, tmp_path)
    assert shown.thumbnail is not None
    width, height = shown.thumbnail.size
    box = shown.boxes[0]
    middle = ((box.x_min + box.x_max) / 2 * width, (box.y_min + box.y_max) / 2 * height)
    red, green, _ = shown.thumbnail.getpixel((int(middle[0]), int(middle[1])))  # type: ignore[misc]
    assert red > 150 > green
    assert (box.x_min, box.x_max, box.y_min, box.y_max) == (0.0, 0.5, 0.75, 1.0)


def test_missing_and_broken_pictures_are_drawn_as_such(tmp_path: Path) -> None:
    """A photo without a picture has its place on both kinds of sheet, and the report counts it."""
    photos = [photo(1), photo(2), photo(3)]
    put(tmp_path, photos[0], encoded(real_picture("chelsea")))
    put(tmp_path, photos[1], b"<html>")
    for out in (tmp_path / "sheet.png", tmp_path / "sheet.html"):
        report = contact_sheet(photos, tmp_path, out)
        assert (report.shown, report.missing_images, report.broken_images) == (3, 1, 1)
    page = Page((tmp_path / "sheet.html").read_text())
    stand_ins = [one["aria-label"] for one in page.all("span") if one.get("role") == "img"]
    assert sorted(str(label) for label in stand_ins) == [
        f"Photo {photos[1].photo_id} (not a picture): Dog (main object), Cup",
        f"Photo {photos[2].photo_id} (not downloaded): Dog (main object), Cup",
    ]


def test_html_needs_no_other_file(tmp_path: Path) -> None:
    """Pictures are inside the page, have alt texts, and nothing is loaded from elsewhere."""
    put(tmp_path, photo(1), encoded(real_picture("coffee")))
    contact_sheet([photo(1)], tmp_path, tmp_path / "sheet.html")
    page = Page((tmp_path / "sheet.html").read_text())
    (picture,) = page.all("img")
    assert str(picture["src"]).startswith("data:image/jpeg;base64,")
    assert picture["alt"] == f"Photo {photo(1).photo_id}: Dog (main object), Cup"
    assert not page.all("script")
    assert not page.all("link")


@given(st.text(max_size=30), st.sampled_from(["<script>x</script>", '"><img src=x>', "{{ 7*7 }}"]))
def test_html_escapes_what_data_says(text: str, attack: str) -> None:
    """Labels, authors and titles from strangers are text, never markup or a template."""
    hostile = f"{attack}{text}"
    one = photo(
        1, author=hostile, license=hostile, landing_url=f"javascript:{hostile}",
        boxes=(Box(hostile, "", 0, 1, 0, 1, main=True),),
    )  # fmt: skip
    page = Page(render_html([tile(one, "/nowhere")], hostile, 1))
    assert not page.all("script")
    assert not page.all("img")
    assert not page.all("a")
    assert attack in page.text


def test_links_lead_to_the_author(tmp_path: Path) -> None:
    """The author's page and the licence are linked when they are addresses of the web."""
    one = photo(1, landing_url="https://photos.example/1")
    page = Page(render_html([tile(one, tmp_path)], "t", 1))
    assert [link["href"] for link in page.all("a")] == ["https://photos.example/1", one.license]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"out": "sheet.gif"}, "sheet.gif: --out: must end in .png or .html"),
        ({"theme": "food"}, "no photo of the pool has the theme food"),
        ({"theme": "cars"}, "there is no theme 'cars'"),
        ({"n": 100_000, "photos": 5000}, "show fewer with --n, or write .html"),
        ({"photos": 0}, "no photo of the pool to show"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(options: dict[str, Any], line: str, tmp_path: Path) -> None:
    """What cannot be drawn is said in one line, and no file is written."""
    photos = [photo(number) for number in range(options.pop("photos", 2))]
    out = tmp_path / options.pop("out", "sheet.png")
    with pytest.raises(DataError, match=re.escape(line)):
        contact_sheet(photos, tmp_path, out, **options)
    assert not list(tmp_path.iterdir())


def test_long_labels_stay_in_their_tile(tmp_path: Path) -> None:
    """A caption of any length is cut to its lines, with or without places to break it."""
    photos = [photo(1, boxes=(Box("word " * 300, "", 0, 1, 0, 1), Box("x" * 900, "", 0, 1, 0, 1)))]
    put(tmp_path, photos[0], encoded(real_picture("camera")))
    contact_sheet(photos, tmp_path, tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").size == (304, 48 + 280 + 3 * 16 + 24)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes the sheet and prints what it shows."""
    from photochat.cli import main

    write_pool(tmp_path / "pool.parquet", [photo(number) for number in range(7)])
    sys.argv = [
        "photochat", "contact-sheet", str(tmp_path / "pool.parquet"), "--images", str(tmp_path),
        "--out", str(tmp_path / "sheet.html"), "--n", "3", "--theme", "animal", "--json",
    ]  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert (report["matching"], report["shown"], report["missing_images"]) == (7, 3, 3)
    assert "3 pictures are not in" in said.err
    assert len(Page((tmp_path / "sheet.html").read_text()).all("figure")) == 3
