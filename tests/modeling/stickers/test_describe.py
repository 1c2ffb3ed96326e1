"""Stickers described by an endpoint that takes pictures: asked once each, kept, resumed."""

import base64
import io
import json

import pytest
from PIL import Image

from modeling.stickers.describe import picture_address
from modeling.stickers.descriptions import ATTRIBUTES, read_descriptions
from photochat.errors import DataError
from tests.sticker_sample import INTENTIONS, write_sample
from tests.stub_endpoint import StubEndpoint


@pytest.fixture
def endpoint():
    stub = StubEndpoint()
    yield stub
    stub.stop()


@pytest.fixture
def data(tmp_path):
    (tmp_path / "tags.txt").write_text("\n".join(INTENTIONS))
    return write_sample(tmp_path / "data", train=8, valid=4, test=4)


@pytest.fixture
def describe(data, endpoint, run_photochat):
    def run(*options):
        return run_photochat(
            "stickers", "describe", data, "--llm", endpoint.url, "--llm-model", "see",
            "--intentions", data.parent / "tags.txt", "--retries", "0", "--concurrency", "1",
            *options,
        )  # fmt: skip

    return run


def test_each_sticker_is_shown_once_and_its_four_attributes_are_kept(data, endpoint, describe):
    status, out, _ = describe("--dry-run")
    assert (status, len(endpoint.bodies)) == (0, 0)
    assert out.startswith("8 questions to ask")
    endpoint.die_after = 3
    status, _, err = describe()
    assert status == 1
    assert "5 stickers are left to do" in err
    assert list(read_descriptions(data / "descriptions.jsonl")) == ["s0", "s1", "s2"]
    endpoint.die_after = None
    status, _, err = describe()
    assert status == 0
    assert "8 stickers described" in err
    assert set(endpoint.paid.values()) == {1}
    found = read_descriptions(data / "descriptions.jsonl")
    assert list(found) == [f"s{i}" for i in range(8)]
    assert all(found["s0"].texts)
    shown = [body["messages"][1]["content"] for body in endpoint.bodies]
    assert len({part[1]["image_url"]["url"] for part in shown}) == 8
    for name in ATTRIBUTES:
        assert f"{name}:" in endpoint.bodies[0]["messages"][0]["content"]


def test_descriptions_of_other_stickers_stay_in_the_file(data, describe):
    file = data / "descriptions.jsonl"
    file.write_text(json.dumps({"sticker_id": "other", "verbal": "mine"}) + "\n")
    assert describe()[0] == 0
    assert read_descriptions(file)["other"].verbal == "mine"
    assert len(read_descriptions(file)) == 9


def test_a_picture_is_sent_as_it_looks_and_not_larger_than_512(tmp_path):
    frames = [Image.new("RGB", (900, 300), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    kind, _, sent = picture_address(tmp_path / "moving.gif").partition(",")
    picture = Image.open(io.BytesIO(base64.b64decode(sent)))
    assert (kind, picture.size) == ("data:image/png;base64", (512, 171))
    assert picture.convert("RGB").getpixel((5, 5))[0] > 200  # the first frame, red
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="JPEG, PNG, WebP or GIF"):
        picture_address(tmp_path / "broken.png")


def test_a_local_model_is_refused_in_one_line(data, run_photochat):
    status, _, err = run_photochat(
        "stickers", "describe", data, "--llm", "smollm2", "--intentions", data.parent / "tags.txt"
    )
    assert (status, len(err.splitlines())) == (2, 1)
    assert "--llm: is no http(s) address: local models see no pictures" in err
