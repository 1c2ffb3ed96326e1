"""Pictures of a page in each size and scheme, kept to be looked at."""

from __future__ import annotations

from typing import Any

from tests.e2e.accessibility import problems
from tests.e2e.chat_server import REPOSITORY

ARTIFACTS = REPOSITORY / "test-artifacts"
SIZES = {"desktop": (1200, 800), "phone": (320, 640)}
LOOKS = (("desktop", "light"), ("phone", "dark"), ("desktop", "dark"), ("phone", "light"))


def look(page: Any, name: str) -> None:
    """Take pictures of a page as it stands; nothing may be wider than the screen."""
    ARTIFACTS.mkdir(exist_ok=True)
    for size, scheme in LOOKS:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=ARTIFACTS / f"{name}-{size}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, size)
    width, height = SIZES["desktop"]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="light")
    assert problems(page) == [], name
