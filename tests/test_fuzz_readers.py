"""Every reader of a file, given damaged ones: one clear line, or something that can be used."""

import json

import msgspec
import pytest

from collection.campaign import load_campaign
from collection.recruiting.link_payments import _read as read_dues
from collection.recruiting.prolific_export import read_export as read_prolific
from collection.recruiting.review_csv import read_decisions
from collection.simulate.compare import read_export
from collection.simulate.diary import Diary, read_diary
from collection.synthetic.photos import read_photos
from filtering.conversations import read_findings as read_embedding_findings
from filtering.open_images import read_classes, read_hierarchy
from modeling.descriptors.fields import Descriptors
from modeling.descriptors.file import Described, read_descriptors, write_descriptors
from modeling.retrieval.coco import read_coco
from modeling.stickers.descriptions import read_descriptions
from modeling.stickers.knowledge import read_knowledge
from photochat.errors import DataError
from photochat.language_model.answer_form import WrongFormError, read_answer
from photochat.photo import Photo
from photochat.pipeline.settings import read_settings
from photochat.pipeline.state import STATE_FILE, State, read_state, write_state
from photochat.pool import read_pool, write_pool
from photochat.stickers import read_intentions, scan_stickers
from tests.conftest import REPOSITORY
from tests.modeling.retrieval.test_coco import caption_file
from tests.mutations import mutate, rounds
from tests.sticker_sample import write_descriptions, write_knowledge, write_sample
from verification.finding import Checked, Finding, read_findings, write_findings
from verification.gold import read_gold
from verification.platform_votes import read_platform_votes
from verification.review_items import ReviewItem, read_review_items, write_review_items
from verification.simulated_reviewers import SimulatedReviewer, read_known, write_known
from verification.votes import Vote, read_votes, write_votes

SAMPLE = REPOSITORY / "photochat" / "sample"
ROUNDS = 150  # of each reader


def make_diary(folder):
    diary = Diary(folder / "diary.jsonl", sync=False)
    diary.write("sent", "anna", name="say", client_id="a", text="hello")
    diary.write("done", "anna", code="ABCD2345")
    diary.close()
    return folder / "diary.jsonl"


def make_stickers(folder):
    write_sample(folder / "s", train=3, valid=2, test=2, stickers=4, size=8)
    return folder / "s" / "train.json"


def written(name, write):
    """A maker of a file by a function that writes it."""

    def make(folder):
        write(folder / name)
        return folder / name

    return make


def text(name, content):
    return written(name, lambda path: path.write_text(content))


def copied(name):
    return written(
        name.rsplit("/")[-1], lambda path: path.write_bytes((SAMPLE / name).read_bytes())
    )


def lines(*values):
    return "".join(json.dumps(value) + "\n" for value in values)


TALK = [{"message": "hi", "share_photo": False, "user_id": 0}]
DIALOGUE = {
    "dialogue": TALK, "dialogue_id": 1, "photo_description": "Objects in the photo: Dog",
    "photo_url": "https://example.org/a.jpg", "gold": "accept",
}  # fmt: skip
DESCRIBED = Described("test", 1, "0f", Descriptors("a dog", "ball", "beach", "play", "sand"), "m")
EXPORTED = {
    "dialogue": [{**TALK[0], "seq": 1, "at": 1.0, "client_id": "a"}], "dialogue_id": 1,
    "collection": {"complete": True},
}  # fmt: skip

# name -> how a good file is made, and how it is read
READERS = {
    "campaign.toml": (copied("campaign.toml"), load_campaign),
    "pipeline.toml": (copied("pipeline.toml"), read_settings),
    "pipeline's state": (
        written(STATE_FILE, lambda path: write_state(path.parent, State())),
        lambda path: read_state(path.parent),
    ),
    "sticker conversations": (make_stickers, lambda path: scan_stickers(path.parent)),
    "intention tags": (text("tags.txt", "joy\nanger\n"), read_intentions),
    "knowledge": (
        lambda folder: write_knowledge(make_stickers(folder).parent, folder / "k.jsonl"),
        read_knowledge,
    ),
    "sticker descriptions": (
        lambda folder: write_descriptions(make_stickers(folder).parent, folder / "d.jsonl"),
        read_descriptions,
    ),
    "descriptors": (
        written("d.jsonl", lambda path: write_descriptors(path, [DESCRIBED] * 2)),
        read_descriptors,
    ),
    "captions": (caption_file, read_coco),
    "photo records": (
        text(
            "p.jsonl", lines({"photo_id": "a", "labels": ["Dog"]}, {"url": "b", "labels": ["Cat"]})
        ),
        read_photos,
    ),
    "pool": (
        written("pool.parquet", lambda path: write_pool(path, [Photo("a", url="u")] * 3)),
        read_pool,
    ),
    "classes": (copied("open_images/class-descriptions.csv"), lambda path: read_classes([path])),
    "hierarchy": (copied("open_images/class-hierarchy.json"), read_hierarchy),
    "diary": (make_diary, lambda path: list(read_diary(path))),
    "raw export": (text("raw.jsonl", lines(EXPORTED) * 2), lambda path: list(read_export(path))),
    "decisions": (
        text("r.csv", "submission,decision,reason\ns1,approve,\ns2,reject,too short\n"),
        read_decisions,
    ),
    "dues": (
        text("o.csv", "line,code,amount,paid_at\na,ABCD2345,1.50,2026-01-31\n"),
        read_dues,
    ),
    "Prolific's export": (
        text(
            "p.csv",
            "Submission id,Participant id,Status,Completed at,Completion code\n"
            "s,p,APPROVED,2026-01-31T10:00:00Z,AB\ns2,p2,RETURNED,,\n",
        ),
        lambda path: read_prolific(path, "study"),
    ),
    "platform's votes": (
        text(
            "v.csv",
            "WorkerId,Input.dialogue_id,Answer.verdict,Answer.reasons,WorkTimeInSeconds,SubmitTime\n"
            "W,1,reject,typos,30,Mon Jan 05 10:00:00 PST 2026\nX,2,accept,,12,\n",
        ),
        lambda path: read_platform_votes(path, str),
    ),
    "votes": (
        written("v.jsonl", lambda path: write_votes(path, [Vote(1, "ann", "accept")] * 2)),
        read_votes,
    ),
    "findings": (
        written(
            "f.jsonl",
            lambda path: write_findings(path, [Checked(1, (Finding("typos", "note", "m"),))] * 2),
        ),
        read_findings,
    ),
    "findings to look at": (
        text("f.jsonl", lines({"dialogue_id": 1, "check": "c", "severity": "s", "message": "m"})),
        read_embedding_findings,
    ),
    "gold": (text("g.jsonl", lines(DIALOGUE)), read_gold),
    "review items": (
        written("i.jsonl", lambda path: write_review_items(path, [ReviewItem(1, 2)] * 2)),
        read_review_items,
    ),
    "known reviewers": (
        written("k.json", lambda path: write_known(path, [SimulatedReviewer("ann", 0.9, 0.8)])),
        read_known,
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_in_one_line(name, tmp_path):
    """Whatever the bytes: DataError on one line that names the file, or a result."""
    make, read = READERS[name]
    path = make(tmp_path)
    data = path.read_bytes()
    assert read(path) is not None  # as it was written it is good
    refused = 0
    for source in rounds(ROUNDS, 7):
        path.write_bytes(mutate(data, source))
        try:
            read(path)
        except DataError as error:
            refused += 1
            assert "\n" not in str(error), str(error)
            assert path.name in str(error) or path.parent.name in str(error)
    assert refused > 0


class Form(msgspec.Struct):
    subject: str
    count: int
    parts: list[str] = []


def test_any_answer_of_a_model_is_read_or_of_the_wrong_form():
    whole = b'<think>so</think>Here: ```json\n{"subject": "a", "count": 3, "parts": ["b"]}\n```'
    wrong = 0
    for source in rounds(1000, 8):
        answer = mutate(whole, source).decode(errors="surrogateescape")
        try:
            assert isinstance(read_answer(answer, Form), Form)
        except WrongFormError as error:
            wrong += 1
            assert "\n" not in str(error)
    assert wrong > 0
