"""Files of knowledge and descriptions: read, told what is wrong, missing entries counted."""

import pytest

from modeling.stickers.descriptions import description_texts, read_descriptions
from modeling.stickers.examples import gallery_of, sticker_examples
from modeling.stickers.knowledge import RELATIONS, knowledge_texts, read_knowledge
from photochat.errors import DataError
from photochat.stickers import StickerData


def elsewhere(data, tmp_path):
    """The same data in a folder without generated files."""
    return StickerData(tmp_path, data.splits, data.stickers, data.intentions)


def test_knowledge_is_five_texts_in_the_papers_order_without_none(tmp_path):
    file = tmp_path / "k.jsonl"
    file.write_text(
        '{"conversation_id": 1, "knowledge": {"xReact": "happy", "xIntent": "to win"}}\n'
        '{"conversation_id": "b", "knowledge": {"xNeed": " none", "xWant": ""}}'  # no end of line
    )
    known = read_knowledge(file)
    assert [known[1].texts, known["b"].texts] == [("to win", "happy"), ()]
    assert RELATIONS == ("xIntent", "xNeed", "xWant", "xEffect", "xReact")


def test_half_a_last_line_is_left_out(tmp_path):
    file = tmp_path / "d.jsonl"
    file.write_text('{"sticker_id": "s1", "gesture": "waving"}\n{"sticker_id": "s2", "ges')
    assert list(read_descriptions(file)) == ["s1"]


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (read_knowledge, "{\n{}\n", "line 1: is no knowledge"),
        (read_knowledge, '{"conversation_id": 1}\n', "line 1: is no knowledge"),
        (
            read_knowledge,
            '{"conversation_id": 1, "knowledge": {"oWant": "x"}}',
            "conversation 1: unknown relation 'oWant' .known: xIntent, xNeed",
        ),
        (
            read_knowledge,
            '{"conversation_id": 1, "knowledge": {}}\n' * 2,
            "conversation 1: stands there twice",
        ),
        (read_descriptions, '{"sticker_id": 5}\n', "line 1: is no description"),
        (read_descriptions, '{"sticker_id": "s"}\n' * 2, "sticker s: stands there twice"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, read, text, said):
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    with pytest.raises(DataError, match=said):
        read(file)
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "none.jsonl")


def test_what_has_no_knowledge_or_description_is_counted(data, folder):
    known = read_knowledge(folder / "knowledge.jsonl")
    del known[0]
    texts, without = knowledge_texts(data.split("train"), known)
    assert (texts[0], len(texts[1]), without) == ((), 5, 1)
    described = read_descriptions(folder / "descriptions.jsonl")
    texts, without = description_texts(data.stickers[:3], {"s1": described["s1"]})
    assert (texts[0], without) == (("", "", "", ""), 2)
    assert texts[1] == ("waving", "sitting", "sadness", "")


def test_without_the_files_it_is_said_what_makes_them_or_does_without(data, tmp_path):
    bare = elsewhere(data, tmp_path)
    with pytest.raises(DataError, match=r"holds no knowledge.jsonl: .*--without knowledge"):
        sticker_examples(bare, "train")
    with pytest.raises(DataError, match=r"holds no descriptions.jsonl: .*--without attributes"):
        gallery_of(bare)
    assert len(sticker_examples(bare, "train", knowledge=False)) == 40
    assert gallery_of(bare, attributes=False).without_description == 0
    (tmp_path / "knowledge.jsonl").write_text("")
    with pytest.raises(DataError, match="knows nothing of any conversation in train"):
        sticker_examples(bare, "train")
    (tmp_path / "descriptions.jsonl").write_text("")
    with pytest.raises(DataError, match="describes none of the stickers"):
        gallery_of(bare)
