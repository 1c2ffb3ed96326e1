"""Counting as the paper counts: Tables 1 and 3."""

from pathlib import Path

import msgspec

from photochat.release import Release, SourceFile, read_release
from photochat.statistics import PUBLISHED, stats
from tests.conftest import make_dialogue


def count(*dialogues, split="test"):
    return stats(Release((SourceFile(Path("x"), split, list(dialogues)),)))[split]


def test_one_photo_turn_is_not_counted_and_further_ones_are():
    part = count(make_dialogue("0:a 1:b 0:* 0:* 1:c"))
    assert part.turns == 4
    assert part.several_shares == 1


def test_merging_ignores_the_photo_turn():
    assert count(make_dialogue("0:a 0:* 0:b 1:c")).merged_turns == 2


def test_h_merged_turns_before_the_photo_give_one_positive_and_h_less_1_negatives():
    part = count(make_dialogue("0:a 0:b 1:c 0:d 0:* 1:e"))
    assert (part.intent_positives, part.intent_negatives) == (1, 2)
    assert (part.mean_turns_before_share, part.mean_merged_turns_before_share) == (4, 3)


def test_a_dialogue_without_a_photo_has_no_positive_but_its_negatives_count():
    part = count(make_dialogue("0:a 1:b 0:c"))
    assert (part.intent_positives, part.intent_negatives, part.without_share) == (0, 2, 1)


def test_a_photo_first_gives_no_negative():
    part = count(make_dialogue("0:* 1:b"))
    assert (part.intent_positives, part.intent_negatives) == (1, 0)


def test_tokens_stand_between_white_space():
    assert count(make_dialogue("0:it's_so--nice! 1:_ok_")).tokens == 3


def test_images_are_counted_once_over_all_splits():
    a, b = make_dialogue(photo="a"), make_dialogue(photo="a")
    release = Release((SourceFile(Path("x"), "train", [a]), SourceFile(Path("y"), "dev", [b])))
    parts = stats(release)
    assert [parts[name].images for name in ("train", "dev", "total")] == [1, 1, 1]


def test_an_empty_split_is_zeros():
    part = count()
    assert part.dialogues == part.turns == part.mean_turns == 0


def test_the_published_dev_split_gives_the_papers_numbers(real_photochat):
    """Themes to the unit; docs/data.md speaks of the other counts' small remainders."""
    paper = PUBLISHED["dev"]
    dev = stats(read_release(real_photochat), as_published=True)["dev"]
    assert dev.themes == paper.themes
    assert (dev.images, dev.dialogues) == (paper.images, paper.dialogues)
    assert dev.intent_positives == paper.intent_positives
    assert (dev.turns, dev.tokens, dev.intent_negatives) == (12_695, 80_151, 6_800)
    assert abs(dev.merged_turns - paper.merged_turns) <= 2
    corrected = stats(read_release(real_photochat))["dev"].themes
    assert corrected == {**paper.themes, "product": 112}


def test_the_published_splits_add_up_to_the_printed_total():
    rows = [msgspec.to_builtins(row) for row in PUBLISHED.values()]
    assert sum(row["dialogues"] for row in rows) == 12_286
    assert sum(row["tokens"] for row in rows) == 988_215
