"""The paper's four themes and the 88 Open Images labels that define them.

Table 5 (appendix A) prints 89 entries: "Blender" stands twice, "Refridgerator" is Open Images'
"Refrigerator" and "Face" is its "Human face". Filtering selects photos by this table; statistics
and splits classify dialogues by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

Theme = Literal["people", "food", "animal", "product"]
THEMES: tuple[Theme, ...] = get_args(Theme)

TABLE_5_ENTRIES = 89  # appendix A, Table 5, with "Blender" counted twice


class ThemeLabel(NamedTuple):
    """One label of Table 5: its Open Images class name and class id, and its theme."""

    name: str
    class_id: str
    theme: Theme

    @property
    def release_name(self) -> str:
        """The name as the published `photo_description` writes it ("Face" for "Human face")."""
        return release_name(self.name)


THEME_LABELS: tuple[ThemeLabel, ...] = (
    ThemeLabel("Woman", "/m/03bt1vf", "people"),
    ThemeLabel("Man", "/m/04yx4", "people"),
    ThemeLabel("Girl", "/m/05r655", "people"),
    ThemeLabel("Boy", "/m/01bl7v", "people"),
    ThemeLabel("Human body", "/m/02p0tk3", "people"),
    ThemeLabel("Human face", "/m/0dzct", "people"),
    ThemeLabel("Bagel", "/m/01fb_0", "food"),
    ThemeLabel("Baked goods", "/m/052lwg6", "food"),
    ThemeLabel("Beer", "/m/01599", "food"),
    ThemeLabel("Bread", "/m/09728", "food"),
    ThemeLabel("Burrito", "/m/01j3zr", "food"),
    ThemeLabel("Cake", "/m/0fszt", "food"),
    ThemeLabel("Candy", "/m/0gm28", "food"),
    ThemeLabel("Cheese", "/m/01nkt", "food"),
    ThemeLabel("Cocktail", "/m/024g6", "food"),
    ThemeLabel("Coffee", "/m/02vqfm", "food"),
    ThemeLabel("Cookie", "/m/021mn", "food"),
    ThemeLabel("Croissant", "/m/015wgc", "food"),
    ThemeLabel("Dessert", "/m/0270h", "food"),
    ThemeLabel("Doughnut", "/m/0jy4k", "food"),
    ThemeLabel("Drink", "/m/0271t", "food"),
    ThemeLabel("Fast food", "/m/01_bhs", "food"),
    ThemeLabel("French fries", "/m/02y6n", "food"),
    ThemeLabel("Hamburger", "/m/0cdn1", "food"),
    ThemeLabel("Hot dog", "/m/01b9xk", "food"),
    ThemeLabel("Ice cream", "/m/0cxn2", "food"),
    ThemeLabel("Juice", "/m/01z1kdw", "food"),
    ThemeLabel("Milk", "/m/04zpv", "food"),
    ThemeLabel("Pancake", "/m/01dwwc", "food"),
    ThemeLabel("Pasta", "/m/05z55", "food"),
    ThemeLabel("Pizza", "/m/0663v", "food"),
    ThemeLabel("Popcorn", "/m/01hrv5", "food"),
    ThemeLabel("Salad", "/m/0grw1", "food"),
    ThemeLabel("Sandwich", "/m/0l515", "food"),
    ThemeLabel("Seafood", "/m/06nwz", "food"),
    ThemeLabel("Snack", "/m/01ww8y", "food"),
    ThemeLabel("Taco", "/m/07crc", "food"),
    ThemeLabel("Tart", "/m/02zvsm", "food"),
    ThemeLabel("Tea", "/m/07clx", "food"),
    ThemeLabel("Waffle", "/m/01dwsz", "food"),
    ThemeLabel("Wine", "/m/081qc", "food"),
    ThemeLabel("Guacamole", "/m/02g30s", "food"),
    ThemeLabel("Animal", "/m/0jbk", "animal"),
    ThemeLabel("Alarm clock", "/m/046dlr", "product"),
    ThemeLabel("Backpack", "/m/01940j", "product"),
    ThemeLabel("Blender", "/m/02pjr4", "product"),
    ThemeLabel("Banjo", "/m/018j2", "product"),
    ThemeLabel("Bed", "/m/03ssj5", "product"),
    ThemeLabel("Belt", "/m/0176mf", "product"),
    ThemeLabel("Computer keyboard", "/m/01m2v", "product"),
    ThemeLabel("Computer mouse", "/m/020lf", "product"),
    ThemeLabel("Curtain", "/m/03rszm", "product"),
    ThemeLabel("Guitar", "/m/0342h", "product"),
    ThemeLabel("Hair dryer", "/m/03wvsk", "product"),
    ThemeLabel("Hair spray", "/m/05w9t9", "product"),
    ThemeLabel("Harmonica", "/m/03qjg", "product"),
    ThemeLabel("Humidifier", "/m/04lvq_", "product"),
    ThemeLabel("Jacket", "/m/032b3c", "product"),
    ThemeLabel("Jeans", "/m/0fly7", "product"),
    ThemeLabel("Dress", "/m/01d40f", "product"),
    ThemeLabel("Earrings", "/m/01r546", "product"),
    ThemeLabel("Necklace", "/m/01llwg", "product"),
    ThemeLabel("Fashion accessory", "/m/0463sg", "product"),
    ThemeLabel("Bicycle", "/m/0199g", "product"),
    ThemeLabel("Calculator", "/m/024d2", "product"),
    ThemeLabel("Camera", "/m/0dv5r", "product"),
    ThemeLabel("Food processor", "/m/03y6mg", "product"),
    ThemeLabel("Jug", "/m/08hvt4", "product"),
    ThemeLabel("Mixing bowl", "/m/03hj559", "product"),
    ThemeLabel("Nightstand", "/m/02z51p", "product"),
    ThemeLabel("Oboe", "/m/05kms", "product"),
    ThemeLabel("Oven", "/m/029bxz", "product"),
    ThemeLabel("Paper cutter", "/m/080n7g", "product"),
    ThemeLabel("Pencil case", "/m/05676x", "product"),
    ThemeLabel("Perfume", "/m/0p833", "product"),
    ThemeLabel("Pillow", "/m/034c16", "product"),
    ThemeLabel("Personal care", "/m/02w3_ws", "product"),
    ThemeLabel("Pizza cutter", "/m/08ks85", "product"),
    ThemeLabel("Pressure cooker", "/m/0h8ntjv", "product"),
    ThemeLabel("Printer", "/m/01m4t", "product"),
    ThemeLabel("Refrigerator", "/m/040b_t", "product"),
    ThemeLabel("High heels", "/m/06k2mb", "product"),
    ThemeLabel("Skateboard", "/m/06_fw", "product"),
    ThemeLabel("Slow cooker", "/m/02tsc9", "product"),
    ThemeLabel("Teddy bear", "/m/0kmg4", "product"),
    ThemeLabel("Teapot", "/m/01fh4r", "product"),
    ThemeLabel("Vase", "/m/02s195", "product"),
    ThemeLabel("Wall clock", "/m/0h8mzrc", "product"),
)

# Table 5's spelling where it differs from Open Images' and matches no label there.
PUBLISHED_MISSPELLINGS = {"Refrigerator": "Refridgerator"}

# Open Images' "Human eye" is "Eye" in the release; "Human body" alone keeps its first word.
RELEASE_NAMES = {
    f"Human {part.lower()}": part
    for part in (
        *("Arm", "Beard", "Ear", "Eye", "Face", "Foot"),
        *("Hair", "Hand", "Head", "Leg", "Mouth", "Nose"),
    )
}


def release_name(name: str) -> str:
    """Return an Open Images class name as the release spells it: "Human face" -> "Face"."""
    return RELEASE_NAMES.get(name, name)


def _themes_by_name() -> dict[str, Theme]:
    table: dict[str, Theme] = {}
    for label in THEME_LABELS:
        table[label.name] = table[label.release_name] = label.theme
    return table


_THEME_OF = _themes_by_name()
_THEME_OF_AS_PUBLISHED = {
    name: theme for name, theme in _THEME_OF.items() if name not in PUBLISHED_MISSPELLINGS
}


def themes_of(labels: Iterable[str], *, as_published: bool = False) -> tuple[Theme, ...]:
    """Return the themes that `labels` belong to, in the order of `THEMES`.

    Both spellings of a label count ("Face" and "Human face"). With `as_published`, "Refrigerator"
    counts for no theme, as in the paper, whose Table 5 misspells it.
    """
    table = _THEME_OF_AS_PUBLISHED if as_published else _THEME_OF
    found = {table[label] for label in labels if label in table}
    return tuple(theme for theme in THEMES if theme in found)
