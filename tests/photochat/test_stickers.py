"""Sticker conversations: read, counted as Table 1 does, and wrong records named."""

import json

import pytest

from photochat.errors import DataError
from photochat.sticker_statistics import sticker_stats, tokens_in
from photochat.stickers import INTENTIONS, read_intentions, read_stickers, scan_stickers
from tests.sticker_sample import write_sample


@pytest.fixture
def folder(tmp_path):
    return write_sample(tmp_path / "stickerint")


def broken(folder, **change):
    """Put `change` into the third record of valid; a value of ... takes the key out."""
    file = folder / "valid.json"
    records = json.loads(file.read_text())
    records[2] = {k: v for k, v in (records[2] | change).items() if v is not ...}
    file.write_text(json.dumps(records))


def test_a_folder_is_read_with_every_sticker_in_every_split(folder):
    data = read_stickers(folder)
    assert [len(part) for part in data.splits.values()] == [40, 12, 12]
    assert [s.sticker_id for s in data.stickers] == [f"s{i}" for i in range(8)]
    assert data.stickers[5].intentions == {"sadness"}
    one = data.split("valid")[0]
    assert one.users == {"u0", *(turn.user_id for turn in one.turns)}


def test_json_lines_read_the_same(folder):
    before = read_stickers(folder)
    records = json.loads((folder / "test.json").read_text())
    (folder / "test.json").unlink()
    lines = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
    (folder / "test.jsonl").write_text(lines)
    assert read_stickers(folder) == before


def test_counts_are_those_of_a_plain_loop(folder):
    parts = sticker_stats(read_stickers(folder))
    for split in ("train", "valid", "test"):
        records = json.loads((folder / f"{split}.json").read_text())
        utterances = tokens = members = 0
        users = set()
        for record in records:
            here = {record["user_id"]}
            for turn in record["turns"]:
                utterances += 1
                tokens += len(turn["text"].split())
                here.add(turn["user_id"])
            users |= here
            members += len(here)
        part = parts[split]
        assert (part.conversations, part.utterances) == (len(records), utterances)
        assert (part.tokens, part.users, part.stickers) == (tokens, len(users), 8)
        assert part.users_per_conversation == pytest.approx(members / len(records))
        assert part.tokens_per_utterance == pytest.approx(tokens / utterances)
        assert sum(part.intentions.values()) == len(records)
    assert parts["total"].utterances_with_stickers == parts["total"].utterances + 64


def test_the_papers_totals_count_the_sticker_as_an_utterance():
    """Table 1's columns give 11,066 utterances; its text 12,644, and 8.01 a conversation."""
    assert 8745 + 1105 + 1216 + 1578 == 12644
    assert round(12644 / 1578, 2) == 8.01


@pytest.mark.parametrize(
    ("text", "tokens"), [("哈哈哈", 3), ("ok 好的", 3), ("こんにちは", 5), ("", 0), ("a  b-c", 2)]
)
def test_wide_characters_are_tokens_by_themselves(text, tokens):
    assert tokens_in(text) == tokens


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"intention": "hapy"}, "intention", "unknown tag 'hapy' (known: admiration, amusement"),
        ({"sticker_id": "s99"}, "sticker_id", "no picture of 's99' in stickers/"),
        ({"turns": []}, "turns", "is empty: a sticker answers at least one utterance"),
        ({"sticker_id": ...}, "sticker_id", "is missing"),
        ({"sticker_id": None}, "sticker_id", "is missing"),
        ({"sticker_id": ""}, "sticker_id", "is empty"),
        ({"turns": [{"user_id": 1, "text": " "}]}, "turns[0].text", "is empty"),
        ({"turns": [{"text": "hi"}]}, "turns[0].user_id", "is missing"),
        ({"turns": "hi"}, "turns", "Expected `array`, got `str`"),
        ({"mood": 1}, None, "Object contains unknown field `mood`"),
        ({"conversation_id": 3}, "conversation_id", "stands in train.json too: give each its own"),
    ],
)
def test_a_wrong_record_is_named_by_file_conversation_and_field(folder, change, field, said):
    broken(folder, **change)
    with pytest.raises(DataError) as caught:
        read_stickers(folder)
    error = caught.value
    assert error.file == str(folder / "valid.json")
    assert error.record == f"conversation {change.get('conversation_id', 42)}"
    assert (error.field, "\n" in str(error)) == (field, False)
    assert error.problem.startswith(said)


def test_every_wrong_record_is_listed_and_the_sound_ones_are_kept(folder):
    broken(folder, intention="hapy")
    records = json.loads((folder / "test.json").read_text())
    records[0] = 5
    (folder / "test.json").write_text(json.dumps(records))
    data, problems = scan_stickers(folder)
    assert [len(part) for part in data.splits.values()] == [40, 11, 11]
    assert [p.record for p in problems] == ["conversation 42", "record 1"]
    with pytest.raises(DataError, match=r"\(and 1 more: photochat stickers validate\)"):
        read_stickers(folder)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda f: [x.unlink() for x in f.glob("*.json")], "holds no train.json"),
        (lambda f: [x.unlink() for x in (f / "stickers").iterdir()], "holds no pictures"),
        (lambda f: (f / "train.json").write_text("{"), "cannot be read as JSON"),
        (lambda f: (f / "train.json").write_text("{}"), "must be a list"),
        (lambda f: (f / "train.jsonl").write_text(""), "stands beside train.jsonl: keep one"),
        (lambda f: (f / "stickers" / "s1.gif").write_bytes(b""), "is a second picture beside"),
    ],
)
def test_a_folder_that_is_none_is_one_line(folder, make, said):
    make(folder)
    with pytest.raises(DataError, match=said):
        read_stickers(folder)


def test_a_list_of_tags_replaces_the_papers(folder, tmp_path):
    tags = tmp_path / "tags.txt"
    tags.write_text("joy\nsadness\nanger\n\nsurprise\n")
    assert read_stickers(folder, intentions=read_intentions(tags)).intentions == (
        "joy", "sadness", "anger", "surprise",
    )  # fmt: skip
    tags.write_text("joy\njoy\n")
    with pytest.raises(DataError, match="holds the tag 'joy' 2 times"):
        read_intentions(tags)
    tags.write_text("\n")
    with pytest.raises(DataError, match="holds no tag"):
        read_intentions(tags)


def test_the_known_tags_are_the_28_of_goemotions():
    assert len(set(INTENTIONS)) == 28


def test_the_commands_count_and_list(folder, run_photochat):
    status, out, err = run_photochat("stickers", "stats", folder)
    assert status == 0
    assert "utterances per conversation" in out
    assert "no conversation has admiration" in err
    status, out, _ = run_photochat("stickers", "stats", folder, "--json")
    assert json.loads(out)["total"]["conversations"] == 64
    assert run_photochat("stickers", "validate", folder)[0] == 0
    broken(folder, intention="hapy")
    status, out, err = run_photochat("stickers", "validate", folder)
    assert (status, len(out.splitlines())) == (1, 1)
    assert "63 conversations are sound, 1 are not" in err
    status, out, err = run_photochat("stickers", "stats", folder)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
