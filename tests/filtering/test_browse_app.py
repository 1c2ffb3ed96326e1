"""The FiftyOne app in a real browser: look at a theme, tag a photo, and it leaves the pool."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from filtering.browse import EXCLUDE
from filtering.curate import curate
from photochat.cli.typed import free_port
from photochat.images import image_path
from photochat.photo import Photo
from photochat.pool import write_pool
from tests.filtering.pictures import encoded, photo, real_picture

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "test-artifacts"
NAME = "browser-test"
# A cold start of the app, its server and its database on a small machine.
START_MS = 120_000

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


@contextmanager
def browser_page(chromium: str, profile: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-cy")  # FiftyOne's own
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium,
            headless=True,
            args=FLAGS.split(),
            viewport={"width": 1400, "height": 900},
        )
        try:
            page = context.new_page()
            advertisement = page.get_by_role("button", name="Dismiss")
            page.add_locator_handler(advertisement, lambda button: button.click())
            yield page
        finally:
            context.close()


def wait_for_photograph(page: Page, tile: Locator) -> None:
    """Wait until the app has painted a real photograph: thousands of colours, not a grey frame."""
    for _ in range(100):
        shown = Image.open(io.BytesIO(tile.screenshot())).convert("RGB")
        if len(shown.getcolors(shown.width * shown.height) or ()) > 2000:
            return
        page.wait_for_timeout(200)
    pytest.fail("the app shows no photograph")


@contextmanager
def app(pool: Path, images: Path) -> Iterator[str]:
    """Run `photochat browse --remote` as a user does; yield the app's address."""
    port = free_port()
    program = "from photochat.cli import main; main()"
    command = [
        sys.executable, "-c", program, "browse", str(pool), "--images", str(images),
        "--name", NAME, "--remote", "--port", str(port),
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        said = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if "the app is at" in line:
                    break
            else:
                pytest.fail(f"the app did not start: {''.join(said)}")
            yield f"http://127.0.0.1:{port}"
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)
            assert process.returncode == 0
        finally:
            process.kill()


@pytest.fixture
def pool() -> list[Photo]:
    """Two photos of animals, one of food, and one without a picture."""
    return [
        photo(0, themes=("animal",)),
        photo(1, themes=("food",)),
        photo(2, themes=("animal", "product")),
        photo(3, themes=("people",)),
    ]


@pytest.mark.slow
def test_theme_is_looked_at_and_a_tagged_photo_leaves(
    fiftyone: Any, chromium: str, pool: list[Photo], tmp_path: Path
) -> None:
    """The saved view of a theme shows its photos; one tagged there is not in the curated pool."""
    images = tmp_path / "images"
    for one, name in zip(pool, ("chelsea", "coffee", "astronaut"), strict=False):
        place = image_path(images, one.photo_id)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encoded(real_picture(name)))
    write_pool(tmp_path / "pool.parquet", pool)
    ARTIFACTS.mkdir(exist_ok=True)
    with (
        app(tmp_path / "pool.parquet", images) as address,
        browser_page(chromium, tmp_path / "profile") as page,
    ):
        page.goto(f"{address}/datasets/{NAME}")
        counts, photos = page.get_by_test_id("entry-counts"), page.get_by_test_id("looker")
        expect(counts).to_have_text("4 samples", timeout=START_MS)
        expect(photos).to_have_count(4)
        wait_for_photograph(page, photos.first)
        page.screenshot(path=ARTIFACTS / "fiftyone-pool.png")

        page.get_by_test_id("saved-views-selection").click()
        page.get_by_test_id("saved-views-animal-selection-option").click()
        expect(counts).to_have_text("2 samples", timeout=30_000)
        expect(photos).to_have_count(2)

        wait_for_photograph(page, photos.first)
        page.screenshot(path=ARTIFACTS / "fiftyone-animal.png")

        second = photos.nth(1)
        second.hover()
        second.get_by_test_id("looker-checkbox-").click()
        page.get_by_test_id("action-tag-sample-labels").click()
        field = page.get_by_test_id("sample-tag-input")
        field.fill(EXCLUDE)
        field.press("Enter")
        page.screenshot(path=ARTIFACTS / "fiftyone-exclude.png")
        page.get_by_text("Apply", exact=True).click()
        expect(page.get_by_text("Apply", exact=True)).to_be_hidden()

        page.get_by_test_id("saved-views-selection").click()
        page.get_by_test_id("saved-views-excluded-selection-option").click()
        expect(counts).to_have_text("1 sample", timeout=30_000)
        expect(photos).to_have_count(1)

    kept, report = curate(pool, NAME)
    assert kept == [pool[0], pool[1], pool[3]]
    assert report.excluded == 1
    fiftyone.delete_dataset(NAME)
