"""Int-RA is its equations put together, and nothing in a batch changes its neighbours."""

import pytest
import torch
from torch.nn import functional

from modeling.stickers.examples import gallery_of, sticker_examples, sticker_pixels
from modeling.stickers.learning import StickersTask, groups_of
from modeling.stickers.network import build_network, described_table
from modeling.stickers.train import _words
from photochat.errors import DataError
from tests.modeling.stickers.conftest import small

VARIANTS = [
    {},
    {"fusion": "label+text"},
    {"relation": "scalar"},
    {"pooling": "first"},
    {"intention": False},
    {"attributes": False},
    {"knowledge": False},
]


@pytest.fixture(scope="module")
def parts(data):
    return gallery_of(data), sticker_examples(data, "train"), sticker_examples(data, "valid")


def network_of(parts, **change):
    gallery, train, _ = parts
    settings = small(**change)
    network = build_network(settings, _words(train, gallery, settings))
    network.module.eval()
    return network


def sticker_batch(network, gallery, places):
    pixels = sticker_pixels(gallery.stickers, network.module.vision.side)
    own, table = network.descriptions(gallery), described_table(gallery)
    return network.sticker_batch(pixels[places], [own[p] for p in places], table[places])


@pytest.mark.parametrize("change", VARIANTS, ids=str)
def test_a_batch_gives_what_each_gives_alone(parts, change):
    gallery, train, _ = parts
    network = network_of(parts, **change)
    texts = network.conversations(train)[:5]
    with torch.no_grad():
        together = network.module.queries(network.query_batch(texts))
        stickers = network.module.photos(sticker_batch(network, gallery, [0, 1, 5]))
        for i, text in enumerate(texts):
            alone = network.module.queries(network.query_batch([text]))
            for name, value in alone.items():
                torch.testing.assert_close(together[name][i], value[0], atol=1e-5, rtol=0)
        for i, place in enumerate([0, 1, 5]):
            alone = network.module.photos(sticker_batch(network, gallery, [place]))
            torch.testing.assert_close(stickers["vector"][i], alone["vector"][0], atol=1e-5, rtol=0)


def test_a_sticker_is_equations_8_to_12_and_a_score_is_equation_13(parts):
    gallery, train, _ = parts
    network = network_of(parts)
    module, head = network.module, network.module.head
    place, heads = 5, network.settings.heads
    pixels = torch.from_numpy(sticker_pixels(gallery.stickers, module.vision.side)[[place]])
    with torch.no_grad():
        h_i = head["f_vis"](module.vision(pixels)[0])  # equations 9 and 10
        views = []
        for text in gallery.descriptions[place]:
            if not text:
                continue
            ids = torch.tensor(
                network.backbone.tokenizer(text, add_special_tokens=False)["input_ids"]
            )
            ids = torch.cat(
                [torch.tensor(network.feed.start), ids, torch.tensor(network.feed.separator)]
            )
            states = module.text(input_ids=ids[None].long()).last_hidden_state[0]  # equation 8
            h_a = head["f_des"](states.mean(0))
            q, k, v = head["w_q"](h_a), head["w_k"](h_i), head["w_v"](h_i)
            size = len(q) // heads
            view = []
            for head_number in range(heads):
                cut = slice(head_number * size, (head_number + 1) * size)
                weights = torch.stack([q[cut] @ one[cut] / size**0.5 for one in k]).softmax(0)
                view.append(sum(w * one[cut] for w, one in zip(weights, v, strict=True)))
            views.append(torch.cat(view))  # equation 11
        most = torch.stack(views).amax(0)
        regions = torch.stack([most * region for region in h_i])  # equation 12, region by region
        expected = regions.mean(0)
        found = module.photos(sticker_batch(network, gallery, [place]))
        torch.testing.assert_close(
            found["vector"][0], expected / expected.norm(), atol=1e-6, rtol=0
        )
        query = module.queries(network.query_batch(network.conversations(train)[:1]))
        score = functional.cosine_similarity(query["vector"][0], expected, dim=0)
        torch.testing.assert_close(module.scores(query, found)[0, 0], score, atol=1e-6, rtol=0)


@pytest.mark.parametrize("fusion", ["label", "label+text"])
def test_the_guessed_intention_is_read_again(parts, fusion):
    _, train, _ = parts
    network = network_of(parts, fusion=fusion)
    module, feed, settings = network.module, network.feed, network.settings
    texts = network.conversations(train)[:3]
    with torch.no_grad():
        found = module.queries(network.query_batch(texts))
        for i, text in enumerate(texts):
            tag = settings.intentions[int(found["logits"][i].argmax())]
            label = feed.short(tag, 48)
            ids, segments = label.ids.tolist(), label.segments.tolist()
            if fusion == "label+text":
                ids, segments = ids + text.ids[1:].tolist(), segments + text.segments[1:].tolist()
            states = module.text(
                input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([segments])
            ).last_hidden_state[0]
            expected = functional.normalize(states.mean(0), dim=0)
            torch.testing.assert_close(found["vector"][i], expected, atol=1e-5, rtol=0)


def test_the_loss_of_groups_is_the_same_together_and_apart(parts):
    """So micro-batches and processes change nothing."""
    gallery, train, valid = parts
    network = network_of(parts)
    pixels = sticker_pixels(gallery.stickers, network.module.vision.side)
    task = StickersTask(network, gallery, pixels, train, valid)
    rows = task.rows(0)[:3]
    with torch.no_grad():
        together = task.loss(network.module, task.collate(rows))
        apart = sum(task.loss(network.module, task.collate([row])) for row in rows)
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-6)
    batch = task.collate(rows)
    for i, member in enumerate(x for row in rows for x in row):
        group = next(row for row in rows if member in row)
        others = {train.gold[x] for x in group} - {train.gold[member]}
        stickers = sorted({train.gold[x] for row in rows for x in row})
        assert {stickers[s] for s in batch["negatives"][i].nonzero()[:, 0].tolist()} == others
        assert stickers[batch["gold"][i]] == train.gold[member]


def test_groups_deal_every_conversation_once_and_nobody_is_alone():
    for count, size in ((9, 4), (8, 4), (10, 4), (5, 4), (1, 4)):
        groups = groups_of(count, size, seed=3, epoch=0)
        assert sorted(i for group in groups for i in group) == list(range(count))
        assert count == 1 or min(map(len, groups)) >= 2
    assert groups_of(40, 4, 3, 0) == groups_of(40, 4, 3, 0) != groups_of(40, 4, 3, 1)


def test_what_does_not_fit_together_is_one_line(parts):
    with pytest.raises(DataError, match="5 heads do not divide the text model's width, 64"):
        network_of(parts, heads=5)
    with pytest.raises(DataError, match="reads 512 tokens at most, not 600"):
        network_of(parts, max_length=600)
    with pytest.raises(DataError, match="the vision model nowhere/vit cannot be had"):
        network_of(parts, vision_model="nowhere/vit")
