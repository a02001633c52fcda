"""Side-by-side pictures show the same moment on both sides."""

from fractions import Fraction
from itertools import count

import av
import cv2
import numpy as np
import pytest

from media_factory import pictures, wishes, write_clip
from restoration.errors import RestorationError
from restoration.media.chunks import write_chunk
from restoration.media.codecs import EncodeSettings
from restoration.media.encode import encode
from restoration.media.probe import probe
from restoration.pipeline.plan import Span
from restoration.review.comparison import LINE_HEIGHT, WIDEST, fitting, pairs, write_comparison

SHARP = EncodeSettings("h264", 4, "ultrafast")
VFR = {
    "time_base": Fraction(1, 1000),
    "pts": [900 + index * 33 + index % 3 * 7 for index in range(60)],
}


def compared(
    tmp_path, frames, *, name="a.mkv", suffix="mp4", scale=2, clip=None, made_by=("upscale small",), **excerpt
):
    """The comparison of a clip of *frames* with its enlargement, as rows of (left, right) without their labels."""
    source = write_clip(tmp_path / name, frames, codec="ffv1", pix_fmt="bgr0", bt709=False, **clip or {})
    description, timeline = probe(source, wishes(**excerpt))
    first = round((excerpt.get("start") or 0) * 25)
    result = frames[first : first + len(timeline.pts)].repeat(scale, axis=1).repeat(scale, axis=2)
    restored, target = tmp_path / f"b.{suffix}", tmp_path / "c.png"
    encode(restored, result, timeline, source, description, SHARP, trimmed=bool(excerpt), strict=False)
    write_comparison(source, description, timeline, restored, target, list(made_by))
    picture = cv2.cvtColor(cv2.imread(str(target)), cv2.COLOR_BGR2RGB)
    height = min(result.shape[2], WIDEST) * result.shape[1] // result.shape[2]
    label = next(n for n in count(LINE_HEIGHT, LINE_HEIGHT) if picture.shape[0] % (height + n) == 0)
    rows = np.split(picture, picture.shape[0] // (height + label))
    return [np.split(row[label:], 2, axis=1) for row in rows], timeline, first


def nearest(picture, frames):
    size = picture.shape[1::-1]
    return int(np.argmin([np.abs(cv2.resize(frame, size).astype(int) - picture).mean() for frame in frames]))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("clip", [{}, VFR], ids=["even", "vfr, late"])
def test_both_sides_show_the_middle_of_each_shot(tmp_path, suffix, clip):
    frames = pictures(60, shots=3)
    rows, *_ = compared(tmp_path, frames, suffix=suffix, clip=clip)
    for (left, right), number in zip(rows, (9, 29, 49), strict=True):
        assert left.shape == right.shape == (96, 128, 3)
        assert nearest(left, frames) == nearest(right, frames) == number


def test_times_that_matroska_rounds(tmp_path):
    frames = pictures(60, shots=3)
    rows, *_ = compared(tmp_path, frames, name="a.avi", suffix="mkv", clip={"rate": Fraction(24000, 1001)})
    assert [nearest(right, frames) for _, right in rows] == [9, 29, 49]


def test_an_excerpt(tmp_path):
    frames = pictures(60, shots=3)
    rows, timeline, first = compared(tmp_path, frames, start=0.4, end=0.8)
    assert (timeline.shots(), len(rows)) == ([(0, 9)], 1)
    assert nearest(rows[0][0], frames) == nearest(rows[0][1], frames) == first + 4


def test_many_shots_give_three_rows_from_beginning_middle_and_end(tmp_path):
    frames = pictures(100, shots=5)
    rows, *_ = compared(tmp_path, frames)
    assert [nearest(left, frames) for left, _ in rows] == [9, 49, 89]


def test_wide_results_are_shrunk(tmp_path):
    rows, *_ = compared(tmp_path, pictures(2, 600, 100), scale=2)
    assert rows[0][0].shape == (160, WIDEST, 3)


def test_labels_say_what_made_it(tmp_path):
    for name, made_by in (("1", ()), ("2", ("upscale small",)), ("3", ("upscale large",))):
        (tmp_path / name).mkdir()
        compared(tmp_path / name, pictures(2, 400, 40), made_by=made_by)
    labels = [cv2.imread(str(tmp_path / name / "c.png"))[:LINE_HEIGHT] for name in "123"]
    assert all(label.max() == 255 for label in labels)
    assert (labels[0] != labels[1]).any()
    assert (labels[1] != labels[2]).any()


def test_a_result_that_is_too_short_is_named(tmp_path):
    source = write_clip(tmp_path / "a.mkv", pictures(24), codec="ffv1", pix_fmt="bgr0")
    short = write_clip(tmp_path / "b.mp4", pictures(5))
    with pytest.raises(RestorationError, match=r"b\.mp4: frame 11 is not there"):
        write_comparison(source, *probe(source, wishes()), short, tmp_path / "c.png", [])
    assert not (tmp_path / "c.png").exists()


def test_stages_stand_between_source_and_result(tmp_path):
    frames = pictures(60, shots=3)
    source = write_clip(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt="bgr0", bt709=False)
    description, timeline = probe(source, wishes())
    restored, target = tmp_path / "b.mp4", tmp_path / "c.png"
    encode(restored, frames, timeline, source, description, SHARP, trimmed=False, strict=False)
    chunks = [tmp_path / f"{Span(first, first + 29)}.mkv" for first in (0, 30)]
    for chunk, part in zip(chunks, np.split(255 - frames, 2), strict=True):
        write_chunk(chunk, part, expected=30)
    write_comparison(source, description, timeline, restored, target, [], {"after negative": chunks})
    picture = cv2.cvtColor(cv2.imread(str(target)), cv2.COLOR_BGR2RGB)
    rows = np.split(picture, 3)
    for row, number in zip(rows, (9, 29, 49), strict=True):
        columns = np.split(row[-frames.shape[1] :], 3, axis=1)
        assert nearest(columns[0], frames) == nearest(255 - columns[1], frames) == nearest(columns[2], frames) == number
    with pytest.raises(RestorationError, match=r"frame 49 is in none of .*0000000-0000029\.mkv"):
        write_comparison(source, description, timeline, restored, target, [], {"after negative": chunks[:1]})


def test_labels_are_broken_where_they_do_not_fit():
    made_by = "restored: colorize embedded-colorizer, upscale realesr-animevideov3-fp16, faces GFPGANv1.4"
    assert fitting(made_by, 4000) == [made_by]
    lines = fitting(made_by, 320)
    assert len(lines) > 2 and " ".join(lines) == made_by
    assert fitting("unbreakable" * 9, 50) == ["unbreakable" * 9]


def test_results_that_are_not_square_pixelled_are_shown_as_players_do(tmp_path):
    frames = pictures(12, 48, 64)
    source = write_clip(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt="bgr0", bt709=False, aspect=Fraction(16, 9))
    description, timeline = probe(source, wishes())
    stored = EncodeSettings("h264", 4, "ultrafast", sar="source")
    square = frames.repeat(2, axis=2)[:, :, : description["size"][0]]
    encode(tmp_path / "b.mp4", square, timeline, source, description, stored, trimmed=False, strict=False)
    with av.open(tmp_path / "b.mp4") as container:
        assert container.streams.video[0].codec_context.width == 48
    (pair,) = pairs(source, description, timeline, tmp_path / "b.mp4", [6])
    assert pair.before.shape == pair.after.shape == (64, description["size"][0], 3)
