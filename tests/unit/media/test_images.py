"""Single frames become images that an index names, with their times."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from media_factory import pictures
from restoration.errors import RestorationError
from restoration.media.identity import sha256
from restoration.media.images import write_images
from restoration.media.mark import SOURCE_TYPE, read_mark
from restoration.media.timeline import Timeline

FRAMES = pictures(3)


def timeline(pts=(90, 190, 990)):
    return Timeline.build(Fraction(1, 100), list(pts), 4, [1, 2], ["x"] * len(pts))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_images_and_index(tmp_path, suffix):
    index = tmp_path / "a.b" / "a.b.index.tsv"
    write_images(index, FRAMES, timeline(), Fraction(1, 2), suffix, 95 if suffix == ".jpg" else None)
    table = pd.read_csv(index, sep="\t")
    assert table["time"].tolist() == [0.4, 1.4, 9.4]
    assert table["file"].tolist() == [
        f"frames/a.b.{time}{suffix}" for time in ("000000.400", "000001.400", "000009.400")
    ]
    for (_, row), frame in zip(table.iterrows(), FRAMES, strict=True):
        file = index.parent / row["file"]
        assert row["sha256"] == sha256(file)
        found = np.asarray(Image.open(file))
        assert np.abs(found.astype(int) - frame).max() <= (30 if suffix == ".jpg" else 0)
        assert (row["height"], row["width"]) == frame.shape[:2]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_images_say_that_networks_had_a_part_in_them(tmp_path, suffix):
    for mark in (True, False):
        write_images(tmp_path / "a.index.tsv", FRAMES, timeline(), Fraction(0), suffix, 90, mark=mark)
        (image, *_) = (tmp_path / "frames").iterdir()
        assert read_mark(image) == (SOURCE_TYPE if mark else "")


def test_images_of_earlier_settings_go_and_nothing_else(tmp_path):
    index = tmp_path / "a" / "a.index.tsv"
    write_images(index, FRAMES, timeline(), Fraction(0), ".png", None)
    write_images(index, FRAMES[:2], timeline((190, 290)), Fraction(0), ".png", None)
    assert sorted(path.name for path in (tmp_path / "a" / "frames").iterdir()) == [
        "a.000001.900.png",
        "a.000002.900.png",
    ]


def test_too_few_frames_make_no_index(tmp_path):
    index = tmp_path / "a" / "a.index.tsv"
    with pytest.raises(RestorationError, match="3 frames were due and 2 came"):
        write_images(index, FRAMES[:2], timeline(), Fraction(0), ".png", None)
    assert not index.exists()
