"""Models that come in 16 bits or as GGUF files."""

import sys

import numpy as np
import pytest
import torch

from modeling.backbones.scratch import scratch_model
from modeling.backbones.text import load_backbone
from modeling.intent.network import build_network, save_network
from modeling.intent.rows import collate
from modeling.intent.settings import IntentSettings
from photochat.packaged_models import PACKAGES
from tests.modeling.intent.conftest import make_talks

WIDTH, LAYERS, INNER = 32, 1, 64


def write_gguf(file):
    """Write a small untrained Llama with a vocabulary of letters."""
    import gguf

    tokens = ["<end>", *map(chr, range(33, 127)), "Ġ", "Ċ", "he", "Ġt"]
    source = np.random.default_rng(0)
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(1e4)
    writer.add_rope_dimension_count(WIDTH // 2)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3] + [1] * (len(tokens) - 1))
    writer.add_token_merges(["h e", "Ġ t"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    sizes = {
        "attn_norm": (WIDTH,),
        "ffn_norm": (WIDTH,),
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (WIDTH // 2, WIDTH),
        "attn_v": (WIDTH // 2, WIDTH),
        "attn_output": (WIDTH, WIDTH),
        "ffn_gate": (INNER, WIDTH),
        "ffn_up": (INNER, WIDTH),
        "ffn_down": (WIDTH, INNER),
    }
    shapes = {f"blk.{i}.{name}": size for i in range(LAYERS) for name, size in sizes.items()}
    shapes |= {"token_embd": (len(tokens), WIDTH), "output_norm": (WIDTH,)}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", source.normal(0, 0.5, shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_model_read_from_gguf_is_saved_as_any_other_and_answers_as_before(tmp_path, monkeypatch):
    """As the preset causal does with SmolLM2, whose package is one such file."""
    pytest.importorskip("gguf")
    package, _, file = PACKAGES["smollm2"]
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    write_gguf(tmp_path / package / file)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, package, raising=False)
    net = build_network(IntentSettings(model="smollm2", kind="causal"))
    save_network(net, net.module.state_dict(), tmp_path / "model")
    again = build_network(net.settings, weights=tmp_path / "model")
    batches = [collate(n.rows(make_talks()), n.marks.pad) for n in (net, again)]
    with torch.no_grad():
        before, after = (n.module.eval()(b) for n, b in zip((net, again), batches, strict=True))
    assert len(before) == len(make_talks())
    assert torch.equal(before, after)


@pytest.mark.parametrize(("name", "kind"), [("tiny-bert", "encoder"), ("tiny-llama", "causal")])
def test_weights_of_16_bits_are_trained_and_kept_in_32(name, kind, tmp_path):
    model, tokenizer = scratch_model(name, ["a photo of it"])
    model.bfloat16().save_pretrained(tmp_path / "published")
    tokenizer.save_pretrained(tmp_path / "published")
    net = build_network(IntentSettings(model=str(tmp_path / "published"), kind=kind))
    net.module(collate(net.rows(make_talks()), net.marks.pad)).sum().backward()
    save_network(net, net.module.state_dict(), tmp_path / "kept")
    given, kept = model.state_dict(), load_backbone(str(tmp_path / "kept")).model
    assert kept.config.dtype == torch.float32
    for read in (net.backbone.model.state_dict(), kept.state_dict()):
        assert {tensor.dtype for tensor in read.values()} == {torch.float32}
        assert all(torch.equal(tensor, given[part].float()) for part, tensor in read.items())
