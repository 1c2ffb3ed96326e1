"""SCAN (arXiv 1803.08024): words of the talk and regions of the photo attend to each other.

A bidirectional GRU reads the talk, its directions averaged. A photo is its regions: vectors that an
object detector made of them (`regions`), or, our variant for when there is none, the cells of an
image network's last grid (`image`), as a ViT's patches are. Both are brought to length one, and
`scan_scores` compares them.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from modeling.retrieval.matcher import Batch, Matcher, Representations
from modeling.retrieval.scan_scores import MEMORY, Attention, scan_scores
from modeling.retrieval.word_gru import WordGru

JOINT_WIDTH = 1024  # arXiv 1803.08024, section 4.3
REGIONS = 36  # a photo, section 3.1 there: the detector's most confident
REGION_WIDTH = 2048


class Scan(Matcher):
    """`image` turns pixels into grids (photos, cells, image_width); None: regions are given."""

    def __init__(
        self,
        image: nn.Module | None,
        image_width: int,
        vocabulary: int,
        *,
        width: int = JOINT_WIDTH,
        attention: Attention = Attention(),  # noqa: B008
        memory: int = MEMORY,
    ) -> None:
        super().__init__()
        self.image = image
        self.attention, self.memory = attention, memory
        self.head_text = WordGru(vocabulary, width, both_ways=True)
        self.head_image = nn.Linear(image_width, width)
        nn.init.xavier_uniform_(self.head_image.weight)
        nn.init.zeros_(self.head_image.bias)

    def queries(self, batch: Batch) -> Representations:
        """Return "words" (queries, longest, width) and their "mask"."""
        states = self.head_text(batch["ids"], batch["mask"])
        return {"words": F.normalize(states, dim=2), "mask": batch["mask"]}

    def photos(self, batch: Batch) -> Representations:
        """Return "regions" (photos, regions, width)."""
        seen = batch["regions"] if self.image is None else self.image(batch["pixels"])
        projected: Tensor = self.head_image(seen)
        return {"regions": F.normalize(projected, dim=2)}

    def scores(self, queries: Representations, photos: Representations) -> Tensor:
        """Return the scores (queries, photos) of cross attention."""
        return scan_scores(
            queries["words"],
            queries["mask"],
            photos["regions"],
            self.attention,
            memory=self.memory,
        )
