"""`photochat make-dialogues` against a real endpoint: made, marked, checked, kept out of splits."""

import json

import pytest

from collection.synthetic.photos import PhotoRecord, chosen, read_photos
from collection.synthetic.prompts import Prompts, filled, read_prompts
from photochat.dialogue import MIN_TURNS_BEFORE_SHARE
from photochat.errors import DataError
from photochat.photo import Photo
from photochat.pool import write_pool
from photochat.records import read_records
from photochat.synthetic import is_synthetic
from tests.stub_endpoint import StubEndpoint

PHOTOS = [
    {"photo_id": f"train/{number:016x}", "labels": ["Dog", "Beach", "Ball"]} for number in range(5)
] + [{"photo_id": "p/1", "attributes": {"top": "red jacket, wet", "hat": "none"}, "note": "x"}]


@pytest.fixture
def stub():
    endpoint = StubEndpoint()
    yield endpoint
    endpoint.stop()


@pytest.fixture
def photos(tmp_path):
    path = tmp_path / "photos.jsonl"
    path.write_text("".join(json.dumps(photo) + "\n" for photo in PHOTOS))
    return path


@pytest.fixture
def make(run_photochat, stub, photos, tmp_path):
    """Run the command against the stub: (status, stdout, stderr)."""

    def run(*more, source=photos, out="made.jsonl"):
        return run_photochat(
            "make-dialogues", source, "--llm", stub.url, "--llm-model", "m",
            "--out", tmp_path / out, "--retries", "1", "--no-check", *more,
        )  # fmt: skip

    return run


def test_a_dialogue_a_photo_with_a_share(make, tmp_path):
    """Turns enough before the share, one after it, and the photo as the release describes it."""
    status, _, err = make("--max-rounds", "4")
    assert status == 0, err
    made = read_records(tmp_path / "made.jsonl")
    assert [d.dialogue_id for d in made] == list(range(6))
    assert [d.photo_id for d in made] == [photo["photo_id"] for photo in PHOTOS]
    for dialogue in made:
        assert dialogue.share_index is not None
        assert dialogue.share_index >= MIN_TURNS_BEFORE_SHARE
        assert len(dialogue.turns) == dialogue.share_index + 2
        assert dialogue.sharer == 0
        assert is_synthetic(dialogue)
    assert len({d.share_index for d in made}) > 1, "the number of rounds is drawn"
    assert made[0].labels == ("Dog", "Beach", "Ball")
    assert made[5].labels == ("red jacket wet", "none")
    assert set(made[0].extra["synthetic"]) == {"model", "prompts", "seed", "toolkit"}


def test_the_one_who_asks_is_not_told_what_the_photo_shows(make, stub):
    """A question's prompt holds the talk and nothing of the facts."""
    make("--limit", "1")
    prompts = [body["messages"][0]["content"] for body in stub.bodies]
    kinds = ["photo" if "it shows: Dog" in text or "red jacket" in text else "" for text in prompts]
    assert kinds == ["photo", *["", "photo"] * ((len(kinds) - 2) // 2), "photo"]


def test_faults_lose_nothing_and_pay_for_nothing_twice(make, stub, tmp_path):
    """Busy, prose, broken, cut off, gone: what is made is written, the rest told, made later.

    Twelve dialogues take 8 to 14 answers each, and the faults cost three of them at most: after 40
    answers one at least is whole and others are not, whichever of two the faults fall on.
    """
    stub.faults = ["", "429 0", "prose", "half", "broken-json", "disconnect", "", "503", "400"]
    stub.die_after = 40
    status, _, err = make("--per-photo", "2", "--retries", "2", "--concurrency", "2")
    assert status == 1
    assert "dialogues are left to do" in err
    assert "400" in err
    assert "the connection failed" in err
    first = read_records(tmp_path / "made.jsonl")
    stub.die_after = None
    status, _, err = make("--per-photo", "2")
    assert status == 0, err
    made = read_records(tmp_path / "made.jsonl")
    assert len(made) == 2 * len(PHOTOS)
    assert [one for one in made if one in first] == first
    assert set(stub.paid.values()) == {1}


def test_the_seed_decides(make, tmp_path):
    """The same seed makes the same bytes, another seed other talks, copies differ."""
    make("--seed", "1", "--cache", tmp_path / "one.db", out="one.jsonl")
    make("--seed", "1", "--cache", tmp_path / "two.db", out="two.jsonl")
    make("--seed", "2", out="three.jsonl")
    one, two, three = ((tmp_path / f"{n}.jsonl").read_bytes() for n in ("one", "two", "three"))
    assert one == two
    assert one != three
    make("--limit", "1", "--per-photo", "2", out="four.jsonl")
    copies = read_records(tmp_path / "four.jsonl")
    assert copies[0].turns != copies[1].turns
    assert copies[0].photo_id == copies[1].photo_id


def test_the_checks_run_on_the_result(make, tmp_path):
    """A table on stdout, findings in a file."""
    status, out, err = make("--check", "--limit", "2")
    assert status == 0, err
    assert "review or worse" in out
    assert len((tmp_path / "made.findings.jsonl").read_text().splitlines()) == 2


def test_a_dry_run_asks_nobody(make, stub, tmp_path):
    """It goes through the whole talk with a stand-in and tells what it would cost."""
    status, out, _ = make("--dry-run", "--price-in", "1", "--price-out", "1")
    assert status == 0
    assert "questions to ask" in out
    assert stub.bodies == []
    assert {path.name for path in tmp_path.iterdir()} == {"photos.jsonl"}


def test_nothing_made_writes_nothing(make, stub, tmp_path):
    """Exit status 1 and no file that holds nothing."""
    stub.every_time = "400"
    status, _, err = make()
    assert status == 1
    assert "nothing was made" in err
    assert not (tmp_path / "made.jsonl").exists()


def test_people_s_splits_stay_people_s(make, run_photochat, tmp_path):
    """Split leaves made dialogues out and says so; with all of them made, it asks."""
    make()
    people = tmp_path / "people.jsonl"
    rows = [json.loads(line) for line in (tmp_path / "made.jsonl").read_text().splitlines()]
    for row in rows:
        del row["synthetic"]
        row["photo_id"] += "b"
    people.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = tmp_path / "made.jsonl"
    cut = ("--dev", "1", "--test", "1", "--out")
    status, _, err = run_photochat("split", made, people, *cut, tmp_path / "release")
    assert status == 0
    assert "left out 6: made by a language model" in err
    status, _, err = run_photochat("split", made, *cut, tmp_path / "none")
    assert (status, "--with-synthetic" in err) == (2, True)
    status, _, err = run_photochat("split", made, *cut, tmp_path / "made", "--with-synthetic")
    assert status == 0, err
    status, out, _ = run_photochat("stats", tmp_path / "made")
    assert "train (synthetic)" in out
    assert "total (synthetic)" in out


def test_a_pool_is_read_too(make, tmp_path):
    """Labels and address come from the pool."""
    write_pool(
        tmp_path / "pool.parquet",
        [Photo("train/a", url="https://photos.example.org/a.jpg", labels=("Cake",))],
    )
    status, _, err = make(source=tmp_path / "pool.parquet", out="made.parquet")
    assert status == 0, err
    [dialogue] = read_records(tmp_path / "made.parquet")
    assert (dialogue.labels, dialogue.photo_url) == (("Cake",), "https://photos.example.org/a.jpg")


@pytest.mark.parametrize(
    ("line", "says"),
    [("{}", "names no photo"), ('{"photo_id": "a"}', "tells nothing"), ("[]", "is no photo record"),
     ('{"photo_id": "a", "labels": [1]}', "is no photo record"), ("{", "is no photo record")],
)  # fmt: skip
def test_a_record_that_is_none_is_named(tmp_path, line, says):
    """File and line."""
    (tmp_path / "p.jsonl").write_text(json.dumps(PHOTOS[0]) + "\n\n" + line)
    with pytest.raises(DataError, match=rf"p\.jsonl: line 3: {says}"):
        read_photos(tmp_path / "p.jsonl")


def test_an_empty_file_is_told(tmp_path):
    """So is one that is not there."""
    (tmp_path / "p.jsonl").write_text("\n")
    with pytest.raises(DataError, match="holds no photos"):
        read_photos(tmp_path / "p.jsonl")
    with pytest.raises(DataError, match="no such file"):
        read_photos(tmp_path / "q.jsonl")


def test_photos_are_drawn_by_the_seed():
    """In the order of the file."""
    photos = [PhotoRecord(str(number)) for number in range(50)]
    drawn = chosen(photos, 10, 3)
    assert drawn == chosen(photos, 10, 3) != chosen(photos, 10, 4)
    assert [int(p.photo_id) for p in drawn] == sorted(int(p.photo_id) for p in drawn)
    assert chosen(photos, None, 0) == photos


def test_prompts_are_replaced_by_a_folder_of_them(make, stub, tmp_path):
    """All four, with $photo and $talk filled in."""
    for name in Prompts.__struct_fields__:
        (tmp_path / f"{name}.txt").write_text(f"{name}: ${{talk}} costs $$5")
    status, _, err = make("--prompts", tmp_path, "--limit", "1")
    assert status == 0, err
    assert stub.bodies[0]["messages"][0]["content"].startswith("opening:  costs $5")
    assert stub.bodies[1]["messages"][0]["content"].startswith("question: A: ")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [("answer", None, "no such prompt"), ("answer", " ", "is empty"),
     ("opening", "$who", "names what is not known"), ("opening", "5 $", "names what is not known"),
     ("question", "It is ${photo}", "leave .photo out")],
)  # fmt: skip
def test_prompts_that_do_not_go(tmp_path, name, text, says):
    """The file is named."""
    for other in Prompts.__struct_fields__:
        (tmp_path / f"{other}.txt").write_text("write")
    (tmp_path / f"{name}.txt").unlink()
    if text is not None:
        (tmp_path / f"{name}.txt").write_text(text)
    with pytest.raises(DataError, match=says) as error:
        read_prompts(tmp_path)
    assert f"{name}.txt" in str(error.value)


def test_our_prompts_fill_in():
    """Nothing of a template is left."""
    prompts = read_prompts()
    for name in Prompts.__struct_fields__:
        text = filled(getattr(prompts, name), photo="- it shows: Dog", talk="A: $hi")
        assert "$photo" not in text
        assert "$talk" not in text


@pytest.mark.parametrize(
    ("more", "says"),
    [(["--min-rounds", "5", "--max-rounds", "4"], "--max-rounds"),
     (["--out", "made.txt"], "suffix")],
)  # fmt: skip
def test_options_that_do_not_go(make, more, says):
    """One line, exit status 2."""
    status, _, err = make(*more)
    assert (status, len(err.strip().splitlines())) == (2, 1)
    assert says in err
