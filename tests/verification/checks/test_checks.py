"""What each check finds, where, and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.verification.talks import PIZZA, talk
from verification.check import Models, check_dialogue
from verification.checks.personal import personal_information
from verification.checks.task_talk import task_talk
from verification.checks.typing import pasted, too_fast
from verification.checks.words import default_classifier, inappropriate
from verification.talk import Talk

LINES = PIZZA.strip().splitlines()


def grave(dialogue):
    checked = check_dialogue(dialogue, Models())
    return {finding.check for finding in checked.findings if finding.severity != "note"}


@pytest.mark.parametrize(
    ("lines", "check"),
    [
        ([line for line in LINES if line != "A: *"], "no-share"),
        (["A: *", *LINES[:6]], "photo-first"),
        ([*LINES[:3], "A: *", *LINES[3:6]], "early-share"),
        ([line for line in LINES if line[0] == "A"], "silent-partner"),
        ([*LINES, "B: *"], "roles-mixed-up"),
        (LINES[5:8], "too-short"),
        ([*LINES[:4], "B: hola amiga, ¿qué tal estás hoy? hace mucho tiempo", *LINES[4:]],
         "not-english"),
        ([*LINES[:4], "B: sdfkjgh wrtqsdf", *LINES[4:]], "gibberish"),
        ([line.replace("the", "teh").replace("my", "ym").replace("what", "waht") for line in LINES],
         "typos"),
        (["A: ok", "B: yes", "A: cool", "B: hi", "A: wow", *LINES[5:]], "fillers"),
        ([f"{line[:3]}{' '.join(sorted(line[3:].split()))}" for line in LINES], "broken-english"),
    ],
)  # fmt: skip
def test_each_fault_is_found_by_its_check(lines, check):
    assert check in grave(talk("\n".join(lines), "Pizza, Food"))


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("what the fuck", "reject"),
        ("sh!t happens", "reject"),
        ("you f**king bet", "reject"),
        ("damn, nice", "note"),
        ('he said "shit" on stage', "note"),
        ("my uncle Dick came", None),
        ("we read Moby Dick", None),
        ("from Scunthorpe with a cockatoo and a shiitake", None),
        ("it costs $10 at 5 o'clock", None),
    ],
)
def test_rude_words_but_neither_names_nor_parts_of_words(text, severity):
    found = inappropriate(Talk(talk(f"A: {text}")), None)
    assert (found[0].severity if found else None) == severity


def test_the_classifier_gives_what_its_library_gives():
    ours = default_classifier()
    if ours is None:
        pytest.skip("alt-profanity-check is not installed (extra: verify)")
    from profanity_check import predict_prob

    texts = ["you are disgusting trash", "what a lovely cake", "", "pig pig pig"]
    assert ours(texts) == pytest.approx(list(predict_prob(texts)))


@pytest.mark.parametrize(
    "text",
    ["what photo did you get?", "are you on mturk too", "the instructions say five turns",
     "when do we submit this hit"],
)  # fmt: skip
def test_talk_about_the_task_is_found_in_its_place(text):
    [finding] = task_talk(Talk(talk(f"A: hello there\nB: {text}")))
    assert (finding.severity, finding.turn) == ("review", 1)
    assert text[finding.start : finding.end]


@pytest.mark.parametrize("text", ["I got a photo of her", "the costumes were a hit", "task force"])
def test_photos_and_hits_of_real_life_are_no_task_talk(text):
    assert not [f for f in task_talk(Talk(talk(f"A: {text}"))) if f.severity != "note"]


def test_personal_information_is_marked_where_it_stands():
    message = "sure, mail me at jo.smith@mail.example.org tonight"
    [finding] = personal_information(Talk(talk(f"A: {message}")))
    assert message[finding.start : finding.end] == "jo.smith@mail.example.org"


def test_without_times_typing_speed_is_said_to_be_skipped_and_with_them_measured():
    dialogue = talk("A: hi\nB: hello\nA: this is a rather long message that nobody types so fast")
    assert too_fast(Talk(dialogue)) is None
    import msgspec

    for seconds, count in ((1.0, 1), (30.0, 0)):
        turns = tuple(
            msgspec.structs.replace(turn, extra={"at": 100.0 + seconds * index})
            for index, turn in enumerate(dialogue.turns)
        )
        timed = msgspec.structs.replace(dialogue, turns=turns)
        assert len(too_fast(Talk(timed))) == count


def test_pasted_text_is_seen_by_its_mark_or_by_its_length():
    dialogue = talk("A: hi\nB: hello\nA: " + "a long text about photography " * 10)
    assert [f.turn for f in pasted(Talk(dialogue))] == [2]
