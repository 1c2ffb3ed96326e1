"""A ViT is read as it was published, in 32 bits."""

import torch

from modeling.stickers.vision import TINY, load_regions


def test_weights_of_16_bits_are_read_in_32(tmp_path):
    published = load_regions(TINY).model.to(torch.bfloat16)
    published.save_pretrained(tmp_path)
    read = load_regions(str(tmp_path)).model.state_dict()
    assert {tensor.dtype for tensor in read.values()} == {torch.float32}
    given = published.state_dict()
    assert all(torch.equal(tensor, given[name].float()) for name, tensor in read.items())
