"""The association before the share: Figure 2's three examples, and what the score rests on."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from photochat.packaged_models import installed
from tests.verification.talks import EXAMPLES, PIZZA, talk
from verification.association.kinds import kin_of, names_of
from verification.association.sentences import SentenceEncoder
from verification.check import Models, check_dialogue
from verification.checks.association import association, association_scores
from verification.talk import Talk


def graver(checked):
    return {finding.check for finding in checked.findings if finding.severity != "note"}


@pytest.mark.parametrize("name", ["trip", "pizza"])
def test_the_good_examples_pass(name):
    assert graver(check_dialogue(talk(*EXAMPLES[name]), Models())) == set()


def test_the_bad_example_is_flagged_for_association_only_after_the_share():
    checked = check_dialogue(talk(*EXAMPLES["netflix"]), Models())
    assert graver(checked) == {"association-after-share"}
    shown = [f for f in checked.findings if f.severity == "note"]
    assert {EXAMPLES["netflix"][0].splitlines()[f.turn + 1][f.start + 3 : f.end + 3] for f in shown}


def test_with_a_sentence_encoder_the_three_examples_come_out_the_same():
    name = installed("minilm")
    if name is None:
        pytest.skip("the sentence encoder is not installed (extra: models)")
    encode = SentenceEncoder(name)
    found = {
        key: [f.check for f in association(Talk(talk(*example)), encode) if f.severity != "note"]
        for key, example in EXAMPLES.items()
    }
    assert found == {"trip": [], "pizza": [], "netflix": ["association-after-share"]}


def test_a_sentence_encoder_of_16_bits_is_read_in_32(tmp_path):
    pytest.importorskip("transformers")
    from modeling.backbones.scratch import scratch_model

    model, tokenizer = scratch_model("tiny-bert", ["two dogs"])
    model.bfloat16().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    [vector] = SentenceEncoder(str(tmp_path))(["two dogs"])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_its_own_photo_fits_a_talk_better_than_another():
    own, _ = association_scores(Talk(talk(PIZZA, "Pizza")), None)
    other, _ = association_scores(Talk(talk(PIZZA, "Skateboard")), None)
    assert own > other + 1


def test_kinds_of_a_label_and_its_plural_are_its_hints():
    assert "dog" in kin_of("Animal")
    assert "dogs" not in names_of("Dog")
    dogs, _ = association_scores(Talk(talk("A: two dogs came\nA: *", "Dog")), None)
    animal, _ = association_scores(Talk(talk("A: two dogs came\nA: *", "Animal")), None)
    nothing, _ = association_scores(Talk(talk("A: two came here\nA: *", "Dog")), None)
    assert dogs > nothing
    assert animal > nothing


def test_labels_that_nobody_knows_are_no_error():
    assert association(Talk(talk(PIZZA, "Pájaros, Zxqv")), None) is not None
    assert association(Talk(talk(PIZZA, "")), None) is None


@pytest.mark.parametrize("whose", ["  Mark", "'s Mark"])
def test_a_blank_relationship_is_no_error(whose):
    blank = replace(
        talk(PIZZA), photo_description=f"The photo has your {whose}. Objects in the photo: Pizza"
    )
    assert association(Talk(blank), None) is not None
