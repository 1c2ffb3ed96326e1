"""A photo as it stands in the pool: where it comes from, what is on it, and why it was chosen."""

from __future__ import annotations

import msgspec


class Box(msgspec.Struct, frozen=True):
    """One annotated object. Coordinates are fractions of the image's width and height (0 to 1).

    The five flags are Open Images' own: 1 yes, 0 no, -1 not known. `main` says whether the box is
    the image's main object by the paper's section 3.1 (footnotes 2 and 3).
    """

    label: str
    class_id: str
    x_min: float
    x_max: float
    y_min: float
    y_max: float
    is_occluded: int = -1
    is_truncated: int = -1
    is_group_of: int = -1
    is_depiction: int = -1
    is_inside: int = -1
    main: bool = False


class Photo(msgspec.Struct, frozen=True):
    """A photo of the pool.

    `photo_id` is `<Open Images subset>/<image id>`, as in the published release. `labels` are
    spelled as the release spells them ("Face"), most specific first with their ancestors among
    them; `qualifying` are the Open Images names from Table 5 that brought the photo in.
    """

    photo_id: str
    url: str | None = None
    landing_url: str | None = None
    license: str | None = None
    author: str | None = None
    title: str | None = None
    rotation: float | None = None
    labels: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    qualifying: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
