"""The selection as one SQL expression that DuckDB and Spark both understand.

It reads two tables: `boxes` (one row a box, in the pool's column names, with its class's number
and a `place` to order by) and `image_labels` (one row a label of the whole image). It gives one row
a box or image label, with what the rules say of it. Only how the tables are read from files differs
between engines. The numbers come from `filtering.geometry` and the class table, which numbers
classes so that a comparison tells a class's part: a join would cost DuckDB the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from filtering.class_table import ClassTable
from filtering.geometry import BORDER_MARGIN, MIN_SIDE, SizeRule

Keep = Literal["keep", "drop"]
LabelSource = Literal["boxes", "boxes+image-labels"]
KEEP: tuple[Keep, ...] = get_args(Keep)
LABEL_SOURCES: tuple[LabelSource, ...] = get_args(LabelSource)

# Coordinates are printed with six digits or more: what lies further outside is no rounding.
FRAME_TOLERANCE = 1e-6

COORDINATES = ("x_min", "x_max", "y_min", "y_max")
FLAGS = ("is_occluded", "is_truncated", "is_group_of", "is_depiction", "is_inside")
VERDICTS = ("in_frame", "at_margin", "too_small", "excluded", "qualifies")
RECORD_COLUMNS = ("image_id", "class_number", "is_box", *COORDINATES, *FLAGS, *VERDICTS)


@dataclass(frozen=True)
class Rules:
    """The options of the selection; the defaults are the paper's section 3.1.

    `group_of` and `depictions` say whether boxes around a group, or around a drawing or model of
    the thing, may bring a photo in. `label_source` says whether verified labels of the whole image
    may too, for the themes that need no geometry.
    """

    size: SizeRule = "both"
    group_of: Keep = "keep"
    depictions: Keep = "keep"
    label_source: LabelSource = "boxes"


def at_margin_sql() -> str:
    """Return `filtering.geometry.is_at_margin` as SQL over the columns of a box."""
    centers = ("(x_min + x_max) / 2", "(y_min + y_max) / 2")
    return " OR ".join(
        f"{center} <= {_double(BORDER_MARGIN)} OR {center} >= {_double(1 - BORDER_MARGIN)}"
        for center in centers
    )


def too_small_sql(size: SizeRule) -> str:
    """Return `filtering.geometry.is_too_small` as SQL over the columns of a box."""
    joint = " OR " if size == "both" else " AND "
    sides = ("x_max - x_min", "y_max - y_min")
    return joint.join(f"{side} < {_double(MIN_SIDE)}" for side in sides)


def selection_sql(rules: Rules, classes: ClassTable, *, with_image_labels: bool) -> str:
    """Return the expression: rows of `RECORD_COLUMNS` and `place`, in no stated order.

    `excluded` marks what would have qualified but for `group_of` or `depictions`; `qualifies`
    marks the rows that bring their photo into the pool.
    """
    people = f"class_number BETWEEN 0 AND {classes.people_end - 1}"
    others = f"class_number BETWEEN {classes.others_start} AND {classes.others_end - 1}"
    box = f"""
SELECT image_id, class_number, TRUE AS is_box, {", ".join(COORDINATES)}, {", ".join(FLAGS)},
       in_frame, at_margin, too_small,
       counts AND dropped AS excluded, counts AND NOT dropped AS qualifies, place
FROM (
  SELECT *, in_frame AND ({others} OR ({people} AND NOT at_margin AND NOT too_small)) AS counts
  FROM (
    SELECT *, COALESCE({_in_frame_sql()}, FALSE) AS in_frame,
           COALESCE({at_margin_sql()}, FALSE) AS at_margin,
           COALESCE({too_small_sql(rules.size)}, FALSE) AS too_small,
           COALESCE({_dropped_sql(rules)}, FALSE) AS dropped
    FROM boxes
  ) AS measured
) AS judged"""
    if not with_image_labels:
        return box
    nothing = ", ".join(
        [f"CAST(NULL AS DOUBLE) AS {name}" for name in COORDINATES]
        + [f"CAST(NULL AS TINYINT) AS {name}" for name in FLAGS]
    )
    by_label = "FALSE" if rules.label_source == "boxes" else others
    return f"""{box}
UNION ALL
SELECT image_id, class_number, FALSE AS is_box, {nothing},
       TRUE AS in_frame, FALSE AS at_margin, FALSE AS too_small,
       FALSE AS excluded, {by_label} AS qualifies, place
FROM image_labels"""


def _in_frame_sql() -> str:
    low, high = _double(-FRAME_TOLERANCE), _double(1 + FRAME_TOLERANCE)
    return (
        f"x_min >= {low} AND x_max <= {high} AND x_min <= x_max"
        f" AND y_min >= {low} AND y_max <= {high} AND y_min <= y_max"
    )


def _dropped_sql(rules: Rules) -> str:
    conditions = []
    if rules.group_of == "drop":
        conditions.append("is_group_of = 1")
    if rules.depictions == "drop":
        conditions.append("is_depiction = 1")
    return " OR ".join(conditions) or "FALSE"


def _double(value: float) -> str:
    """Return a literal that both engines read as exactly this double, not as a decimal."""
    return f"CAST('{value!r}' AS DOUBLE)"
