"""Table 5 as a table: 89 printed entries, 88 labels, four themes."""

import csv

import pytest

from photochat.themes import TABLE_5_ENTRIES, THEME_LABELS, release_name, themes_of
from tests.conftest import shared_data


def test_the_89_entries_are_88_labels_since_blender_stands_twice():
    assert len(THEME_LABELS) == len({label.class_id for label in THEME_LABELS}) == 88
    assert len(THEME_LABELS) + 1 == TABLE_5_ENTRIES


def test_labels_per_theme():
    count = dict.fromkeys(("people", "food", "animal", "product"), 0)
    for label in THEME_LABELS:
        count[label.theme] += 1
    assert count == {"people": 6, "food": 36, "animal": 1, "product": 45}


def test_both_spellings_of_a_label_count():
    assert themes_of(["Face"]) == themes_of(["Human face"]) == ("people",)
    assert release_name("Human eye") == "Eye"
    assert release_name("Human body") == "Human body"


def test_refrigerator_counts_unless_as_published():
    assert themes_of(["Refrigerator"]) == ("product",)
    assert themes_of(["Refrigerator"], as_published=True) == ()


def test_themes_come_in_the_papers_order_once_each():
    assert themes_of(["Vase", "Cake", "Tea", "Man"]) == ("people", "food", "product")
    assert themes_of(["Sky"]) == ()


def test_names_and_ids_are_open_images_own():
    data = shared_data()
    if data is None:
        pytest.skip("the real class list is not here (PHOTOCHAT_SHARED)")
    with (data / "openimages" / "class-descriptions-boxable.csv").open() as file:
        names = dict(csv.reader(file))
    assert {label.class_id: label.name for label in THEME_LABELS}.items() <= names.items()
