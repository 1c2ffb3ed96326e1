"""Splits: no photo leaks, themes stay balanced, order does not matter, growth moves nothing."""

import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochat.dialogue import photo_keys
from photochat.errors import DataError
from photochat.release import Release, SourceFile, read_release
from photochat.split import allocate, split
from tests.conftest import SAMPLE, make_dialogue

LABELS = ["Man", "Cake", "Animal", "Vase", "Man, Cake", "Girl, Animal", "Sky", "Man, Cake, Vase"]


def make(spec):
    """Make one dialogue for each (photo, label index) of `spec`."""
    return [
        make_dialogue(f"0:m{i} 1:b 0:*", dialogue_id=i, photo=f"p{photo}", labels=LABELS[label])
        for i, (photo, label) in enumerate(spec)
    ]


def as_release(splits):
    return Release(tuple(SourceFile(Path(name), name, part) for name, part in splits.items()))


specs = st.lists(st.tuples(st.integers(0, 60), st.integers(0, len(LABELS) - 1)), max_size=80)


@settings(max_examples=150, deadline=None)
@given(specs, st.integers(0, 8), st.integers(0, 8), st.integers(0, 3), st.randoms())
def test_no_photo_leaks_and_order_does_not_matter(spec, dev, test, seed, shuffler):
    dialogues = make(spec)
    try:
        splits, report = split(dialogues, dev=dev, test=test, seed=seed)
    except DataError:
        singles = sum(times == 1 for times in Counter(photo for photo, _ in spec).values())
        assert singles < dev + test
        return
    assert (len(splits["dev"]), len(splits["test"])) == (dev, test)
    photos = {name: photo_keys(part) for name, part in splits.items()}
    for name in ("dev", "test"):
        assert len(set(photos[name])) == len(photos[name])
    assert not set(photos["dev"]) & set(photos["test"])
    assert not set(photos["train"]) & {*photos["dev"], *photos["test"]}
    assert sum(map(len, splits.values())) == len(dialogues) == report.used
    shuffler.shuffle(dialogues)
    assert split(dialogues, dev=dev, test=test, seed=seed)[0] == splits


def test_at_photochats_size_each_theme_is_within_half_a_point_of_the_whole():
    """12,286 dialogues over 10,917 photos, 1,000 in dev and in test."""
    source = random.Random(7)
    weights = [40, 22, 7, 6, 14, 3, 2, 6]
    photo_label = [source.choices(range(len(LABELS)), weights)[0] for _ in range(10_917)]
    spec = list(enumerate(photo_label))
    spec += [
        (photo, photo_label[photo]) for photo in source.choices(range(4000), k=12_286 - 10_917)
    ]
    for seed in range(3):
        _, report = split(make(spec), dev=1000, test=1000, seed=seed)
        whole = report.theme_shares["whole"]
        for name in ("train", "dev", "test"):
            for theme, share in report.theme_shares[name].items():
                assert abs(share - whole[theme]) <= 0.5


def test_another_seed_gives_another_cut():
    dialogues = read_release(SAMPLE).dialogues
    first, _ = split(dialogues, dev=20, test=20, seed=1)
    second, _ = split(dialogues, dev=20, test=20, seed=2)
    assert first["dev"] != second["dev"]


@settings(max_examples=60, deadline=None)
@given(specs, specs, st.integers(0, 3))
def test_growth_keeps_every_earlier_dialogue_where_it_was(old, new, seed):
    dialogues = make(old + new)
    earlier = dialogues[: len(old)]
    singles = sum(times == 1 for times in Counter(photo for photo, _ in old).values())
    size = min(3, singles // 2)
    before, _ = split(earlier, dev=size, test=size, seed=seed)
    after, report = split(
        dialogues, dev=size, test=size, seed=seed + 1, previous=as_release(before)
    )
    for name, part in before.items():
        assert [d for d in after[name] if d.dialogue_id < len(old)] == part
    assert report.kept_from_previous == len(old)
    photos = {name: set(photo_keys(part)) for name, part in after.items()}
    assert not photos["dev"] & photos["test"]
    assert not photos["train"] & (photos["dev"] | photos["test"])
    assert report.used + len(report.left_out) == report.read


def test_a_new_dialogue_about_a_photo_of_dev_is_left_out_and_said():
    old = make([(i, 0) for i in range(6)])
    before, _ = split(old, dev=2, test=2)
    photo = int(before["dev"][0].photo_url.rsplit("/p", 1)[1].removesuffix(".jpg"))
    new = make_dialogue("0:other 1:b 0:*", dialogue_id=99, photo=f"p{photo}", labels="Man")
    _, report = split([*old, new], dev=2, test=2, previous=as_release(before))
    assert [(item.dialogue_id, "in dev" in item.reason) for item in report.left_out] == [(99, True)]


def test_an_edited_dialogue_keeps_its_place_by_id_and_photo():
    old = make([(i, 0) for i in range(6)])
    before, _ = split(old, dev=2, test=2)
    moved = before["test"][0]
    edited = make_dialogue(
        "0:corrected 1:b 0:*", dialogue_id=moved.dialogue_id, labels="Man",
        photo=moved.photo_url.rsplit("/", 1)[1].removesuffix(".jpg"),
    )  # fmt: skip
    after, _ = split(
        [edited if d is moved else d for d in old], dev=2, test=2, previous=as_release(before)
    )
    assert edited in after["test"]


def test_an_earlier_dialogue_under_a_new_id_is_not_displaced_by_another_under_its_own():
    old = make([(i, 0) for i in range(6)])
    before, _ = split(old, dev=2, test=2)
    moved = before["test"][0]
    renumbered = msgspec.structs.replace(moved, dialogue_id=99)
    other = msgspec.structs.replace(moved, turns=make_dialogue("0:other 1:b 0:*").turns)
    after, report = split(
        [*(d for d in old if d is not moved), other, renumbered],
        dev=2, test=2, previous=as_release(before),
    )  # fmt: skip
    assert renumbered in after["test"]
    assert [item.dialogue_id for item in report.left_out] == [moved.dialogue_id]
    assert (report.kept_from_previous, report.missing_from_input) == (6, 0)


def test_a_dialogue_that_left_is_missing_also_where_two_others_have_its_photo():
    old = make([(0, 0), (0, 0), (1, 0)])
    before, _ = split(old, dev=0, test=0)
    edited = msgspec.structs.replace(old[0], turns=make_dialogue("0:other 1:b 0:*").turns)
    renumbered = msgspec.structs.replace(old[0], dialogue_id=99)
    _, report = split([edited, renumbered, old[1]], dev=0, test=0, previous=as_release(before))
    assert (report.kept_from_previous, report.missing_from_input) == (2, 1)


def test_a_dialogue_without_a_photo_is_left_out_and_said():
    nameless = make_dialogue(photo="", dialogue_id=5)
    splits, report = split([nameless, *make([(0, 0)])], dev=0, test=0)
    assert [item.dialogue_id for item in report.left_out] == [5]
    assert nameless not in splits["train"]


def test_an_address_with_two_ids_stands_in_one_split():
    twins = [make_dialogue(dialogue_id=i, photo_id=f"train/{i}", labels="Man") for i in range(2)]
    splits, _ = split([*twins, *make([(1, 0), (2, 0)])], dev=1, test=1)
    assert splits["train"] == twins


def test_too_few_photos_is_one_clear_error():
    with pytest.raises(DataError, match="only 1 are left: lower --dev or --test"):
        split(make([(0, 0), (1, 0), (2, 0), (2, 0)]), dev=2, test=1)


def test_a_previous_release_larger_than_asked_is_refused():
    before, _ = split(make([(i, 0) for i in range(6)]), dev=3, test=0)
    with pytest.raises(DataError, match="holds 3 in dev"):
        split(make([(i, 0) for i in range(6)]), dev=2, test=0, previous=as_release(before))


strata = st.sampled_from([(), ("people",), ("food",), ("people", "food"), ("animal",)])


@given(
    st.dictionaries(strata, st.tuples(st.floats(0, 100), st.integers(0, 30)), min_size=1),
    st.data(),
)
def test_allocation_fills_the_total_within_capacity(strata, data):
    weights = {name: weight for name, (weight, _) in strata.items()}
    capacity = {name: room for name, (_, room) in strata.items()}
    total = data.draw(st.integers(0, sum(capacity.values())))
    shares = allocate(total, weights, capacity)
    assert sum(shares.values()) == total
    assert all(0 <= shares[name] <= capacity[name] for name in capacity)


def test_allocation_is_proportional_where_there_is_room():
    weights = {("people",): 50.0, ("food",): 30.0, ("animal",): 20.0}
    capacity = dict.fromkeys(weights, 100)
    assert allocate(10, weights, capacity) == {("people",): 5, ("food",): 3, ("animal",): 2}
