"""CLIP of both libraries, tiny and random: reads, sees, is tuned in each way, saved and loaded."""

import math

import pytest
import torch
import transformers
from torch import nn

from modeling.backbones.scratch import word_tokenizer
from modeling.retrieval.clip import PROBE, ClipMatcher
from modeling.retrieval.clip_towers import OPEN_CLIP, load_clip
from modeling.retrieval.layer_decay import rate_factors
from modeling.retrieval.low_rank import merged
from modeling.retrieval.matcher import MAX_SCALE
from modeling.retrieval.wise import best_alpha, between
from photochat.errors import DataError

WIDTH, SIDE = 16, 32
TEXTS = ["a red car on the street", "two dogs play in the snow"]


def tiny_open_clip(folder):
    """Write a folder as open_clip keeps its models."""
    import open_clip

    see = {"image_size": SIDE, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16}
    read = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 4, "layers": 2}
    config = {"embed_dim": WIDTH, "vision_cfg": see, "text_cfg": read}
    from modeling.retrieval.clip_towers import OpenClipTowers

    torch.manual_seed(0)
    model = open_clip.CLIP(**config)
    OpenClipTowers(model, config).save(model.state_dict(), folder)
    return f"{OPEN_CLIP}{folder}"


def tiny_transformers(folder, texts=TEXTS):
    tokenizer = word_tokenizer(texts)
    small = {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 64}
    torch.manual_seed(0)
    model = transformers.CLIPModel(
        transformers.CLIPConfig(
            text_config={
                **small,
                "num_attention_heads": 2,
                "vocab_size": len(tokenizer),
                "max_position_embeddings": 77,
                "eos_token_id": tokenizer.sep_token_id,
            },
            vision_config={**small, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 8},
            projection_dim=WIDTH,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


MAKERS = {"open_clip": tiny_open_clip, "transformers": tiny_transformers}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    return {kind: make(tmp_path_factory.mktemp(kind)) for kind, make in MAKERS.items()}


def batch_of(clip):
    ids = clip.tokenizer(TEXTS, add_special_tokens=False)["input_ids"]
    rows = [[*row, clip.tokenizer.sep_token_id] for row in ids]
    longest = max(map(len, rows))
    source = torch.Generator().manual_seed(1)
    return {
        "ids": torch.tensor([row + [0] * (longest - len(row)) for row in rows]),
        "mask": torch.tensor([[1] * len(r) + [0] * (longest - len(r)) for r in rows]),
        "pixels": torch.randint(0, 256, (2, 3, SIDE, SIDE), generator=source, dtype=torch.uint8),
    }


def vectors(matcher, batch):
    matcher.eval()
    with torch.no_grad():
        return torch.cat([matcher.queries(batch)["vector"], matcher.photos(batch)["vector"]])


@pytest.mark.parametrize("kind", MAKERS)
def test_padding_changes_no_vector_and_all_have_length_one(names, kind):
    clip = load_clip(names[kind])
    matcher, batch = ClipMatcher(clip, "none"), batch_of(clip)
    found = vectors(matcher, batch)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(4))
    alone = {name: tensor[:1] for name, tensor in batch.items()}
    length = int(alone["mask"].sum())
    alone |= {"ids": alone["ids"][:, :length], "mask": alone["mask"][:, :length]}
    torch.testing.assert_close(vectors(matcher, alone)[0], found[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("tuning", ["probe", "lora", "full"])
def test_each_way_of_tuning_starts_from_zero_shot_learns_and_is_saved(
    names, kind, tuning, tmp_path
):
    clip = load_clip(names[kind])
    batch = batch_of(clip)
    before = vectors(ClipMatcher(load_clip(names[kind]), "none"), batch)
    matcher = ClipMatcher(clip, tuning)
    torch.testing.assert_close(vectors(matcher, batch), before, atol=1e-6, rtol=0)

    learning = [p for p in matcher.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=0.01)
    for _ in range(40):
        scores = matcher.scores(matcher.queries(batch), matcher.photos(batch))
        loss = nn.functional.cross_entropy(matcher.log_scale.exp() * scores, torch.arange(2))
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None for p in learning)
        optimizer.step()
    assert loss < 0.1

    after = vectors(matcher, batch)
    matcher.save(matcher.state_dict(), tmp_path)
    assert (tmp_path / PROBE).is_file() == (tuning == "probe")
    again = ClipMatcher(
        load_clip(names[kind], weights=tmp_path), "probe" if tuning == "probe" else "none"
    )
    again.load_heads(tmp_path)
    torch.testing.assert_close(vectors(again, batch), after, atol=1e-5, rtol=0)


@pytest.mark.parametrize("bits", [torch.float16, torch.bfloat16])
def test_weights_of_16_bits_are_read_in_32(names, bits, tmp_path):
    published = transformers.CLIPModel.from_pretrained(names["transformers"]).to(bits)
    published.save_pretrained(tmp_path)
    load_clip(names["transformers"]).tokenizer.save_pretrained(tmp_path)
    read = load_clip(str(tmp_path)).towers.model.state_dict()
    assert {tensor.dtype for tensor in read.values()} == {torch.float32}
    given = published.state_dict()
    assert all(torch.equal(tensor, given[name].float()) for name, tensor in read.items())


def test_the_logit_scale_stays_below_a_hundred(names):
    matcher = ClipMatcher(load_clip(names["open_clip"]))
    with torch.no_grad():
        matcher.log_scale.fill_(math.log(MAX_SCALE) + 1)
    assert matcher.log_scale.exp().item() == pytest.approx(MAX_SCALE)
    assert "towers.model.logit_scale" in dict(matcher.named_parameters())


def test_adapters_reach_the_blocks_of_both_towers_and_nothing_else_learns(names):
    for name in names.values():
        matcher = ClipMatcher(load_clip(name), "lora", rank=2)
        learning = {n for n, p in matcher.named_parameters() if p.requires_grad}
        assert {n.rsplit(".", 1)[-1] for n in learning} == {"up", "down", "logit_scale"}
        assert {n.startswith(("towers.model.visual", "towers.model.vision")) for n in learning} == {
            True,
            False,
        }
        plain = ClipMatcher(load_clip(name), "none").state_dict()
        assert merged(matcher.state_dict()).keys() == plain.keys()


def test_rates_fall_block_by_block_towards_the_input():
    names = [
        "visual.conv1.weight",
        "visual.transformer.resblocks.0.ln_1.weight",
        "visual.transformer.resblocks.1.ln_1.weight",
        "visual.proj",
        "token_embedding.weight",
        "transformer.resblocks.0.mlp.c_fc.weight",
        "ln_final.weight",
    ]
    factors = rate_factors(names, 0.5)
    assert list(factors.values()) == [0.125, 0.25, 0.5, 1.0, 0.25, 0.5, 1.0]


def test_weights_between_two_models_and_the_alpha_that_dev_likes_best():
    pretrained = {"w": torch.zeros(2), "n": torch.tensor(1)}
    tuned = {"w": torch.ones(2), "n": torch.tensor(7)}
    mixed = between(pretrained, tuned, 0.25)
    assert (mixed["w"].tolist(), mixed["n"].item()) == ([0.25, 0.25], 7)
    assert best_alpha(lambda alpha: -abs(alpha - 0.6)) == 0.6
    assert best_alpha(lambda alpha: 1.0) == 1.0


@pytest.mark.parametrize(
    "name", ["open_clip:no-such-net", "/no/such/folder", "open_clip:ViT-B-32/x"]
)
def test_a_model_that_cannot_be_had_is_said_in_one_line(name):
    with pytest.raises(DataError, match="cannot be had") as caught:
        load_clip(name)
    assert "\n" not in str(caught.value)
