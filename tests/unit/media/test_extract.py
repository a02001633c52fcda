"""Extraction: every span, by every seek, gives the pictures that the probe saw."""

import logging
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from media_factory import B_FRAMES, LONG_GOP, OPEN_GOP, interlaced, panned, pictures, telecined, wishes, write_clip
from restoration.errors import RestorationError
from restoration.media.extract import extract
from restoration.media.probe import probe
from restoration.media.reading import tolerant
from restoration.media.source import open_source

DEMO = Path(__file__).parents[3] / "demo" / "kinescope.mp4"
COUNT = 30


def spans(count):
    """Every first frame, with spans that are short, cross a GOP's border, and reach the end."""
    return sorted({(first, min(last, count - 1)) for first in range(count) for last in (first, first + 9, count)})


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("long.mp4", {"options": LONG_GOP}),
        ("long.mkv", {"options": LONG_GOP}),
        ("open.mp4", {"options": OPEN_GOP}),
        ("open.mkv", {"options": OPEN_GOP}),
        ("open.ts", {"options": OPEN_GOP}),
        ("b.mp4", {"options": B_FRAMES}),
        ("b.mov", {"options": B_FRAMES, "pts": range(100, 100 + COUNT)}),
        ("mpeg2.ts", {"codec": "mpeg2video", "options": {"g": "8", "bf": "2"}}),
        ("mpeg4.mp4", {"codec": "mpeg4", "options": {"g": "8", "bf": "2"}}),
        ("mpeg4.avi", {"codec": "mpeg4", "options": {"g": "8", "bf": "2"}}),
        ("ffv1.mkv", {"codec": "ffv1", "pix_fmt": "bgr0"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_span_equals_the_full_decode(tmp_path, name, clip):
    path = write_clip(tmp_path / name, pictures(COUNT), **clip)
    source = path, *probe(path, wishes())
    whole = np.stack(list(extract(*source, 0, COUNT - 1)))
    assert len(np.unique(whole.reshape(COUNT, -1), axis=0)) == COUNT
    for first, last in spans(COUNT):
        np.testing.assert_array_equal(list(extract(*source, first, last)), whole[first : last + 1])


def test_the_whole_decode_is_lossless_where_the_source_is(tmp_path):
    path = write_clip(tmp_path / "a.mkv", pictures(), codec="ffv1", pix_fmt="bgr0", bt709=False)
    np.testing.assert_array_equal(list(extract(path, *probe(path, wishes()), 5, 9)), pictures()[5:10])


def test_the_demo():
    source = DEMO, *probe(DEMO, wishes())
    whole = list(extract(*source, 0, 95))
    for first, last in ((0, 0), (37, 38), (40, 56), (95, 95)):
        np.testing.assert_array_equal(list(extract(*source, first, last)), whole[first : last + 1])


def test_spans_of_an_excerpt_count_from_its_beginning(tmp_path):
    path = write_clip(tmp_path / "a.mkv", pictures(), codec="ffv1", pix_fmt="bgr0", bt709=False)
    source = path, *probe(path, wishes(start=0.4, end=0.8))
    np.testing.assert_array_equal(list(extract(*source, 0, 9)), pictures()[10:20])
    np.testing.assert_array_equal(list(extract(*source, 9, 9)), pictures()[19:20])


def test_duplicates_are_extracted_like_any_other(tmp_path):
    order = [0, 0, 1, 1, 1, 2]
    path = write_clip(tmp_path / "a.mkv", pictures()[order], codec="ffv1", pix_fmt="bgr0", bt709=False)
    source = path, *probe(path, wishes())
    np.testing.assert_array_equal(list(extract(*source, 1, 4)), pictures()[order][1:5])


@pytest.mark.parametrize(
    ("frames", "clip", "chosen"),
    [
        (telecined(panned(96)), {"rate": Fraction(30000, 1001)}, {"field_order": "telecine"}),
        (telecined(panned(96)), {"rate": Fraction(30000, 1001)}, {"field_order": "telecine", "start": 1.21}),
        (interlaced(panned(240)), {}, {"field_order": "top"}),
        (interlaced(panned(240)), {}, {"field_order": "top", "deinterlace": "double"}),
        (panned(120), {}, {"fps": "24000/1001"}),
    ],
    ids=["telecine", "excerpt", "interlaced", "double", "fps"],
)
def test_spans_that_depend_on_their_neighbours_are_found_without_decoding_all(
    tmp_path, monkeypatch, frames, clip, chosen
):
    path = write_clip(tmp_path / "a.mkv", frames, codec="mpeg2video", options={"g": "6", "b": "8M"}, **clip)
    source = path, *probe(path, wishes(**chosen))
    count = len(source[2].pts)
    whole = np.stack(list(extract(*source, 0, count - 1)))
    decoded = []
    monkeypatch.setattr(
        "restoration.media.extract.tolerant", lambda *given: (decoded.append(f) or f for f in tolerant(*given))
    )
    for first, last in ((0, 3), (count // 2, count // 2 + 9), (count - 6, count - 1)):
        decoded.clear()
        np.testing.assert_array_equal(list(extract(*source, first, last)), whole[first : last + 1])
        assert len(decoded) < 70


def test_damage_costs_decoding_from_farther_back_only(tmp_path):
    path = write_clip(tmp_path / "a.mkv", pictures(60), codec="mpeg2video", options={"g": "10", "b": "4M"})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20] = bytes(20)
    path.write_bytes(data)
    source = path, *probe(path, wishes())
    assert source[1]["damage"]
    count = len(source[2].pts)
    whole = np.stack(list(extract(*source, 0, count - 1)))
    for first, last in ((0, 9), (count // 2 - 5, count // 2 + 5), (count - 9, count - 1)):
        np.testing.assert_array_equal(list(extract(*source, first, last)), whole[first : last + 1])


class LateSeek:
    """A container whose seeks land ten frames too late, as a broken index makes them."""

    def __init__(self, container):
        self.container = container

    def __getattr__(self, name):
        return getattr(self.container, name)

    def seek(self, pts, **options):
        self.container.seek(max(pts, 0) + 400, **options)


def test_a_seek_that_lands_too_late_is_noticed_and_mended(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    path = write_clip(tmp_path / "a.mkv", pictures(), codec="ffv1", pix_fmt="bgr0", bt709=False)
    source = path, *probe(path, wishes())

    @contextmanager
    def opened(path):
        with open_source(path) as container:
            yield LateSeek(container)

    monkeypatch.setattr("restoration.media.extract.open_source", opened)
    np.testing.assert_array_equal(list(extract(*source, 4, 6)), pictures()[4:7])
    assert "Frame 4 is not there after seeking" in caplog.text


@pytest.mark.parametrize("change", ["pixels", "times", "shorter"])
def test_a_changed_source_is_refused_with_a_remedy(tmp_path, change):
    path = write_clip(tmp_path / "a.mkv", pictures(), codec="ffv1", pix_fmt="bgr0", bt709=False)
    source = path, *probe(path, wishes())
    frames = pictures()
    pts = list(range(24))
    if change == "pixels":
        frames[12, 0, 0, 0] ^= 1
    elif change == "times":
        pts[12:] = [number + 1 for number in pts[12:]]
    else:
        frames, pts = frames[:12], pts[:12]
    write_clip(path, frames, pts=pts, codec="ffv1", pix_fmt="bgr0", bt709=False)
    assert len(list(extract(*source, 0, 11))) == 12
    with pytest.raises(
        RestorationError, match=r"a\.mkv: frame 12 \(pts 480\) is not what it was when.*snakemake --forcerun probe"
    ):
        list(extract(*source, 8, 15))


def test_a_missing_source_is_named(tmp_path):
    path = write_clip(tmp_path / "a.mkv", pictures(3), codec="ffv1", pix_fmt="bgr0")
    source = path, *probe(path, wishes())
    path.unlink()
    with pytest.raises(RestorationError, match=r"a\.mkv: no such file"):
        next(extract(*source, 0, 0))
