"""VSE++ (arXiv 1707.05612): a GRU reads the talk, a convolutional network sees the photo.

Section 6.2 of the PhotoChat paper: both are projected linearly into the joint space, and the score
is the product of vectors of length one. The hardest negative of the batch makes the loss
(`max-of-hinges`).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from modeling.retrieval.matcher import Batch, Matcher, Representations
from modeling.retrieval.word_gru import WordGru, last_states

JOINT_WIDTH = 1024  # arXiv 1707.05612, section 4: "the dimensionality of the joint embedding space"


class VsePlusPlus(Matcher):
    """`image` turns pixels into vectors of `image_width`; words are ids below `vocabulary`."""

    def __init__(
        self, image: nn.Module, image_width: int, vocabulary: int, width: int = JOINT_WIDTH
    ) -> None:
        super().__init__()
        self.image = image
        self.head_text = WordGru(vocabulary, width, both_ways=False)
        self.head_image = nn.Linear(image_width, width)
        nn.init.xavier_uniform_(self.head_image.weight)
        nn.init.zeros_(self.head_image.bias)

    def queries(self, batch: Batch) -> Representations:
        """Return the last word's state of each talk, at length one."""
        states = self.head_text(batch["ids"], batch["mask"])
        return {"vector": F.normalize(last_states(states, batch["mask"]), dim=1)}

    def photos(self, batch: Batch) -> Representations:
        """Return the projected vector of each picture, at length one."""
        seen: Tensor = self.head_image(self.image(batch["pixels"]))
        return {"vector": F.normalize(seen, dim=1)}
