"""Pictures are decoded once, upright; what cannot be had is listed, and no interruption harms."""

import io
import multiprocessing
import os
import signal
import time
from collections import namedtuple

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import functional as reference

import modeling.retrieval.photos as module
from modeling.retrieval.photos import GREY, default_cache, load_square, open_photos, square
from photochat.errors import DataError

Photo = namedtuple("Photo", "key photo_id")
SIZE = 32


def picture(width=80, height=60, seed=0):
    source = np.random.default_rng(seed)
    coarse = Image.fromarray(source.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def save(folder, name, image=None, **options):
    file = folder / f"{name}.jpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    (image or picture()).save(file, **({"format": "JPEG", "quality": 95} | options))
    return Photo(name, name)


def opened(photos, images, **options):
    options = {"side": SIZE, "fit": "crop", "progress": False} | options
    return open_photos(photos, images, **options)


def pixels(store, photos):
    """The squares, (photos, side, side, 3)."""
    return store.pixels(photos).permute(0, 2, 3, 1).numpy()


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


def test_a_square_is_what_clip_makes_of_a_picture():
    """The shorter side to size, bicubic, then the middle: torchvision's resize and centre crop."""
    for width, height in ((80, 60), (60, 81), (32, 32), (300, 33)):
        image = picture(width, height)
        resized = reference.resize(image, SIZE, interpolation=Image.Resampling.BICUBIC)
        expected = np.asarray(reference.center_crop(resized, SIZE), dtype=int)
        found = np.asarray(square(image, SIZE, "crop"), dtype=int)
        assert found.shape == (SIZE, SIZE, 3)
        assert np.abs(found - expected).max() <= 2  # of 255
    squashed = np.asarray(square(picture(), SIZE, "squash"))
    assert (squashed == np.asarray(picture().resize((SIZE, SIZE), Image.Resampling.BICUBIC))).all()


def test_every_sort_of_picture_is_shown_or_named(images, monkeypatch):
    """One gallery holds each fault; the right ones are decoded, the others listed with a reason."""
    monkeypatch.setattr("photochat.images.MAX_PIXELS", 10**6)
    photos = [save(images, "train/plain")]
    photos.append(save(images, "train/cmyk", picture().convert("CMYK")))
    deep = Image.fromarray((np.linspace(0, 65535, 80 * 60).reshape(60, 80)).astype(np.uint16))
    photos.append(save(images, "train/sixteen-bit", deep, format="PNG"))
    frames = [picture(seed=i) for i in range(3)]
    photos.append(
        save(images, "train/animated", frames[0], format="WEBP", save_all=True,
             append_images=frames[1:], lossless=True)
    )  # fmt: skip
    turned = picture(60, 80)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: the picture is to be turned by 90 degrees
    photos.append(save(images, "train/turned", turned.rotate(90, expand=True), exif=exif))
    photos.append(save(images, "train/transparent", picture().convert("RGBA"), format="PNG"))
    good = len(photos)
    photos.append(save(images, "train/dot", picture(1, 1)))
    cut = io.BytesIO()
    picture(400, 300).save(cut, "JPEG")
    (images / "train/cut.jpg").write_bytes(cut.getvalue()[:2000])
    (images / "train/empty.jpg").write_bytes(b"")
    (images / "train/text.jpg").write_bytes(b"<html>not found</html>")
    bomb = Image.new("1", (20_000, 10_000))
    save(images, "train/bomb", bomb, format="PNG")
    (images / "train/folder.jpg").mkdir()
    photos += [
        Photo(f"train/{name}", f"train/{name}")
        for name in ("cut", "empty", "text", "bomb", "folder", "missing")
    ]
    photos.append(Photo("../secret", "../secret"))
    store = opened(photos, images)
    assert store.available(photos).tolist() == [True] * good + [False] * (len(photos) - good)
    assert set(store.problems) == {photo.key for photo in photos[good:]}
    reasons = {key.rpartition("/")[2]: text for key, text in store.problems.items()}
    assert "too few" in reasons["dot"]
    assert "damaged" in reasons["cut"]
    assert "limit" in reasons["bomb"]
    assert reasons["missing"] == "no such picture"
    assert reasons["text"] == "not a picture (JPEG, PNG or WebP)"
    assert "cannot be read" in reasons["folder"]
    assert "cannot name a file" in reasons["secret"]
    seen = pixels(store, photos)
    assert (seen[good:] == GREY).all()
    assert np.abs(seen[4].astype(int) - np.asarray(square(turned, SIZE, "crop"))).mean() < 5
    assert np.abs(seen[1].astype(int) - seen[0]).mean() < 12  # CMYK and back loses a little
    assert 100 < seen[2].mean() < 155  # 16 bits were scaled, not clipped
    assert (seen[3] == np.asarray(square(frames[0], SIZE, "crop"))).all()


def test_a_photo_without_an_id_is_found_by_the_end_of_its_url(images):
    save(images, "some/where/4321_o")
    save(images, "a/twice_o")
    save(images, "b/twice_o", picture(seed=5))
    save(images, ".photo-cache/hidden_o")
    photos = [
        Photo("https://photos.example/9/4321_o.jpg?size=o", None),
        Photo("https://photos.example/twice_o.jpg", None),
        Photo("https://photos.example/hidden_o.jpg", None),
        Photo("https://[", None),
    ]
    store = opened(photos, images)
    assert store.available(photos).tolist() == [True, False, False, False]
    assert store.problems[photos[1].key] == "2 pictures are named twice_o.jpg"


def test_what_is_decoded_once_is_not_decoded_again(images, monkeypatch):
    photos = [save(images, f"train/{i}", picture(seed=i)) for i in range(5)]
    first = opened(photos[:4], images)
    decoded = []

    def counted(file, *rest):
        decoded.append(file.stem)
        return load_square(file, *rest)

    monkeypatch.setattr(module, "load_square", counted)
    assert (pixels(opened(photos[:4], images), photos[:4]) == pixels(first, photos[:4])).all()
    assert decoded == []
    assert opened([photos[4], photos[2]], images).available([photos[4], photos[2]]).all()
    assert decoded == ["4"]
    # The same content under another name is known; other content under the same name is not.
    (images / "train/copy.jpg").write_bytes((images / "train/1.jpg").read_bytes())
    save(images, "train/0", picture(seed=9))
    copy = Photo("train/copy", "train/copy")
    again = opened([copy, photos[0]], images)
    assert decoded == ["4", "0"]
    assert (pixels(again, [copy]) == pixels(first, [photos[1]])).all()
    assert not (pixels(again, [photos[0]]) == pixels(first, [photos[0]])).all()
    assert again.contents["train/copy"] == first.contents["train/1"]


def test_another_size_or_fit_has_its_own_squares(images):
    photos = [save(images, "train/0")]
    crop, squash = opened(photos, images), opened(photos, images, fit="squash")
    assert not (pixels(crop, photos) == pixels(squash, photos)).all()
    assert opened(photos, images, side=16).side == 16


def _build(images, count):
    opened([Photo(f"train/{i}", f"train/{i}") for i in range(count)], images)


def test_a_killed_build_goes_on_and_two_at_once_do_not_disturb(images, monkeypatch):
    """Whatever moment a build is killed at, the next one ends with the pictures' own squares."""
    count = 40
    photos = [save(images, f"train/{i}", picture(300, 200, seed=i)) for i in range(count)]
    monkeypatch.setattr(module, "_BATCH", 4)
    fork = multiprocessing.get_context("fork")
    for patience in (0.02, 0.05, 0.1):
        child = fork.Process(target=_build, args=(images, count))
        child.start()
        time.sleep(patience)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    both = [fork.Process(target=_build, args=(images, count)) for _ in range(2)]
    for child in both:
        child.start()
    for child in both:
        child.join()
        assert child.exitcode == 0
    seen = pixels(opened(photos, images), photos)
    for i, photo in enumerate(photos):
        assert (seen[i] == load_square(images / f"{photo.key}.jpg", SIZE, "crop")).all()
    assert len(np.unique(seen.reshape(count, -1), axis=0)) == count


def test_a_journal_cut_in_its_last_line_loses_that_line_alone(images):
    photos = [save(images, f"train/{i}", picture(seed=i)) for i in range(3)]
    whole = pixels(opened(photos, images), photos)
    journal = default_cache(images) / f"squares-crop-{SIZE}" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-10])
    assert (pixels(opened(photos, images), photos) == whole).all()
    rows = journal.with_name("rows.bin")
    rows.write_bytes(rows.read_bytes()[: -SIZE * SIZE])  # and a file of rows that is cut short
    assert (pixels(opened(photos, images), photos) == whole).all()
    journal.write_text("no journal\n")
    with pytest.raises(DataError, match="is damaged"):
        opened(photos, images)


def test_no_folder_and_a_folder_without_the_pictures_are_errors(images):
    with pytest.raises(DataError, match="is no folder of pictures"):
        opened([Photo("a", "a")], images / "nowhere")
    with pytest.raises(DataError, match=r"holds none of the 2 pictures; the first, a: no such pic"):
        opened([Photo("a", "a"), Photo("b", "b")], images)
