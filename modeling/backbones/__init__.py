"""Pretrained models that ours start from, of text and of pictures, and small ones from scratch."""
