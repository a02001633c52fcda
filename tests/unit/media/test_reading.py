"""How sources are read: what files say, what the pictures show, what the user says."""

from fractions import Fraction

import av
import numpy as np
import pytest

from media_factory import (
    INTRA,
    LONG_GOP,
    decoded,
    interlaced,
    panned,
    pictures,
    read_as,
    telecined,
    wishes,
    write_clip,
)
from restoration.errors import RestorationError
from restoration.frames import plain
from restoration.media.extract import extract
from restoration.media.probe import probe

LOSSLESS = {"codec": "ffv1", "pix_fmt": "yuv420p"}
RGB = {"codec": "ffv1", "pix_fmt": "bgr0", "bt709": False}
DVD = {"codec": "mpeg2video", "options": {"b": "20M", "g": "1", "flags": "+ildct+ilme"}}
"""Interlaced coding, and its flags."""


def whole(path, **chosen):
    """Description, timeline and all extracted pictures."""
    description, timeline = probe(path, wishes(**chosen))
    return description, timeline, np.stack(list(extract(path, description, timeline, 0, len(timeline.pts) - 1)))


def distances(some, others):
    return np.abs(some.astype(int) - others).mean(axis=(1, 2, 3))


def seconds(timeline):
    return [int(pts) * timeline.time_base for pts in timeline.pts]


@pytest.mark.parametrize("first", ["top", "bottom"])
@pytest.mark.parametrize(("name", "clip"), [("a.mkv", LOSSLESS), ("a.mp4", {}), ("a.ts", DVD)])
def test_interlaced_pictures_are_found_whatever_the_flags(tmp_path, name, clip, first):
    moments = panned(120)
    path = write_clip(tmp_path / name, interlaced(moments, first), **clip)
    description, timeline, frames = whole(path)
    assert (description["reading"]["fields"], description["frames"]) == (first, 60)
    assert np.diff(seconds(timeline)).tolist() == [Fraction(1, 25)] * 59
    # The first and last field have no neighbour in time.
    assert distances(frames, moments[::2])[1:-1].max() < 5


@pytest.mark.parametrize("first", ["top", "bottom"])
@pytest.mark.parametrize(("name", "clip"), [("a.mkv", LOSSLESS), ("a.mp4", {"options": LONG_GOP})])
def test_one_frame_for_each_field(tmp_path, name, clip, first):
    moments = panned(120)
    path = write_clip(tmp_path / name, interlaced(moments, first), **clip)
    description, timeline, frames = whole(path, deinterlace="double")
    assert (description["frames"], description["reading"]["double_rate"]) == (120, True)
    assert np.diff(seconds(timeline)).tolist() == [Fraction(1, 50)] * 119
    assert distances(frames, moments)[1:-1].max() < 5
    for begin, end in ((0, 0), (1, 1), (50, 60), (51, 61), (119, 119)):
        np.testing.assert_array_equal(list(extract(path, description, timeline, begin, end)), frames[begin : end + 1])


@pytest.mark.parametrize("first", ["top", "bottom"])
def test_telecine_gives_back_the_film(tmp_path, first):
    film = panned(48)
    path = write_clip(tmp_path / "a.mkv", telecined(film, first), rate=Fraction(30000, 1001), **LOSSLESS)
    description, timeline, frames = whole(path)
    assert (description["reading"]["fields"], description["frames"]) == ("telecine", 48)
    assert distances(frames, film).max() < 1
    assert max(abs(step - Fraction(1001, 24000)) for step in np.diff(seconds(timeline))) <= Fraction(1, 1000)
    np.testing.assert_array_equal(list(extract(path, description, timeline, 21, 30)), frames[21:31])


def test_double_rate_leaves_film_and_progressive_video_alone(tmp_path):
    for name, frames, count in (("a.mkv", telecined(panned(48)), 48), ("b.mkv", panned(50), 50)):
        assert (
            probe(write_clip(tmp_path / name, frames, **LOSSLESS), wishes(deinterlace="double"))[0]["frames"] == count
        )


def test_a_gap_in_telecined_video_stays(tmp_path):
    pts = [*range(30), *range(80, 110)]
    timeline = probe(write_clip(tmp_path / "a.mkv", telecined(panned(48)), pts=pts, **LOSSLESS), wishes())[1]
    assert abs(timeline.end * timeline.time_base - Fraction(110, 25)) < Fraction(1, 20)


@pytest.mark.parametrize("late", [1, 3])
def test_telecined_video_begins_when_it_begins(tmp_path, late):
    path = write_clip(tmp_path / "a.mkv", telecined(panned(48)), pts=range(late, late + 60), **LOSSLESS)
    assert seconds(probe(path, wishes())[1])[0] == Fraction(late, 25)


def test_progressive_pictures_that_are_flagged_interlaced_are_left_alone(tmp_path):
    frames = panned(60)
    path = write_clip(tmp_path / "a.ts", frames, **DVD)
    with av.open(path) as container:
        assert next(container.decode(video=0)).interlaced_frame
    description, _, there = whole(path)
    assert description["reading"]["fields"] == "progressive"
    assert distances(there, frames).max() < 5


def test_still_pictures_are_taken_as_flagged_and_that_is_said(tmp_path):
    for name, clip, fields in (("a.ts", DVD, "top"), ("b.mkv", LOSSLESS, "progressive")):
        reading = read_as(write_clip(tmp_path / name, panned(1).repeat(40, axis=0), **clip))
        assert reading.fields == fields
        assert ("field_order" in reading.assumed) == (fields == "top")


@pytest.mark.parametrize("count", [24, 60])
def test_a_small_thing_that_moves_is_not_interlaced(tmp_path, count):
    assert read_as(write_clip(tmp_path / "a.mp4", pictures(count))).fields == "progressive"


@pytest.mark.parametrize("fields", ["progressive", "top", "bottom", "telecine"])
def test_the_users_word_on_fields_is_law(tmp_path, fields):
    path = write_clip(tmp_path / "a.mkv", interlaced(panned(120), "bottom"), **LOSSLESS)
    description, _ = probe(path, wishes(field_order=fields))
    assert description["reading"]["fields"] == fields
    assert "field_order" not in description["reading"]["assumed"]
    if fields == "progressive":
        np.testing.assert_array_equal(decoded(path, field_order=fields).shape, (60, 64, 96, 3))


@pytest.mark.parametrize(
    ("chosen", "field", "value"),
    [
        ({"matrix": "bt601"}, "matrix", "smpte170m"),
        ({"matrix": "bt2020"}, "matrix", "bt2020nc"),
        ({"range": "full"}, "full_range", True),
        ({"range": "limited"}, "full_range", False),
        ({"transfer": "pq"}, "transfer", "smpte2084"),
        ({"transfer": "hlg"}, "transfer", "arib-std-b67"),
        ({"transfer": "sdr"}, "transfer", "bt709"),
        ({"sar": "16:15"}, "sample_aspect_ratio", "16/15"),
        ({"fps": "24000/1001"}, "rate", "24000/1001"),
        ({"fps": "12.5"}, "rate", "25/2"),
        ({"rotation": "270"}, "rotation", 270),
        ({"rotation": "0"}, "rotation", 0),
        ({"crop": "40:30:2:4"}, "crop", [40, 30, 2, 4]),
    ],
)
def test_the_users_word_is_law(tmp_path, chosen, field, value):
    path = write_clip(tmp_path / "a.mp4", pictures(3), rotation=90, aspect=Fraction(4, 3))
    assert getattr(read_as(path, **chosen), field) == value
    if field not in ("rate", "transfer") and chosen != {"range": "limited"}:
        plain, changed = decoded(path), decoded(path, **chosen)
        assert plain.shape != changed.shape or (plain != changed).any()


def test_what_a_file_does_not_say_is_assumed_and_listed(tmp_path):
    untagged = {"codec": "ffv1", "pix_fmt": "yuv420p", "bt709": False}
    assert read_as(write_clip(tmp_path / "a.mkv", panned(40), **untagged)).assumed == ["matrix", "range"]
    assert read_as(write_clip(tmp_path / "b.mkv", panned(40), **LOSSLESS)).assumed == []
    assert read_as(write_clip(tmp_path / "c.mkv", panned(40), **RGB)).assumed == []
    # The user's word is no assumption.
    assert read_as(tmp_path / "a.mkv", matrix="bt709", range="limited").assumed == []


def test_crop_is_counted_in_stored_pixels(tmp_path):
    frames = pictures(3)
    path = write_clip(tmp_path / "a.mkv", frames, **RGB)
    np.testing.assert_array_equal(decoded(path, crop="31:17:5:3"), frames[:, 3:20, 5:36])
    description, _ = probe(path, wishes(crop="31:17:5:3", sar="2:1"))
    assert description["size"] == [62, 17]


@pytest.mark.parametrize("crop", ["65:48:0:0", "64:48:1:0", "0:48:0:0", "64:48:0:1"])
def test_a_crop_that_does_not_fit_is_refused(tmp_path, crop):
    path = write_clip(tmp_path / "a.mkv", pictures(2), **RGB)
    with pytest.raises(RestorationError, match=rf"a\.mkv: crop {crop} does not fit into the picture of 64x48"):
        probe(path, wishes(crop=crop))


@pytest.mark.parametrize("top", [8, 9])
def test_cropping_leaves_fields_in_order(tmp_path, top):
    moments = panned(120)
    path = write_clip(tmp_path / "a.mkv", interlaced(moments), **LOSSLESS)
    frames = whole(path, deinterlace="double", crop=f"80:40:8:{top}")[2]
    assert distances(frames, moments[:, top : top + 40, 8:88])[1:-1].max() < 5


@pytest.mark.parametrize("fps", ["25", "24000/1001", "12.5", "100"])
def test_a_rate_replaces_the_files_times(tmp_path, fps):
    path = write_clip(
        tmp_path / "a.mp4", pictures(), time_base=Fraction(1, 90000), pts=[i * 3003 + i % 3 * 700 for i in range(24)]
    )
    description, timeline, frames = whole(path, fps=fps, field_order="progressive")
    assert seconds(timeline) == [index / Fraction(fps) for index in range(24)]
    np.testing.assert_array_equal(list(extract(path, description, timeline, 7, 11)), frames[7:12])
    # Start and end are seconds of the new clock.
    timeline = probe(path, wishes(fps=fps, field_order="progressive", start=4 / float(Fraction(fps)) - 0.001))[1]
    assert len(timeline.pts) == 20


def test_a_rate_replaces_the_last_frames_duration_too(tmp_path):
    timeline = probe(write_clip(tmp_path / "a.mp4", pictures()), wishes(fps="25"))[1]
    assert timeline.end == 24


@pytest.mark.parametrize("rotation", ["0", "90", "180", "270"])
def test_rotation_is_counter_clockwise(tmp_path, rotation):
    frames = pictures(2)
    path = write_clip(tmp_path / "a.mkv", frames, **RGB)
    np.testing.assert_array_equal(decoded(path, rotation=rotation), np.rot90(frames, int(rotation) // 90, axes=(1, 2)))


def two_streams(path, sizes, *, cover=None):
    """Videos of *sizes* in one file; the one numbered *cover* is a cover picture."""
    with av.open(path, "w") as container:
        streams = []
        for number, (width, height) in enumerate(sizes):
            stream = container.add_stream("mjpeg" if number == cover else "libx264", rate=25)
            stream.width, stream.height = width, height
            stream.pix_fmt = "yuvj420p" if number == cover else "yuv420p"
            if number == cover:
                stream.disposition = av.stream.Disposition.attached_pic
            streams.append(stream)
        for number, stream in enumerate(streams):
            for index, rgb in enumerate(pictures(1 if number == cover else 6, stream.width, stream.height)):
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("sizes", "chosen"), [([(64, 48), (96, 64)], 1), ([(96, 64), (64, 48)], 0), ([(64, 48), (64, 48)], 0)]
)
def test_the_largest_of_several_streams_is_taken(tmp_path, sizes, chosen):
    path = two_streams(tmp_path / "a.mkv", sizes)
    assert read_as(path).stream == chosen
    for stream, size in enumerate(sizes):
        description, _, frames = whole(path, stream=stream)
        assert description["size"] == list(size)
        assert frames.shape[1:3] == size[::-1]
    with pytest.raises(RestorationError, match=r"a\.mkv: stream 2 is no video stream; video streams: 0, 1"):
        probe(path, wishes(stream=2))


@pytest.mark.parametrize("cover", [0, 1])
def test_cover_art_is_skipped_however_large(tmp_path, cover):
    sizes = [(320, 240), (64, 48)] if cover == 0 else [(64, 48), (320, 240)]
    path = two_streams(tmp_path / "a.mp4", sizes, cover=cover)
    with av.open(path) as container:
        covers = [s.index for s in container.streams if s.disposition & av.stream.Disposition.attached_pic]
    description, _ = probe(path, wishes())
    assert description["reading"]["stream"] not in covers
    assert (description["size"], description["frames"], description["damage"]) == ([64, 48], 6, [])


def write_still(path, picture, *, codec, pix_fmt):
    with av.open(path, "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream(codec, rate=1)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = pix_fmt
        source = "rgb48le" if picture.dtype == np.uint16 else "rgba" if picture.shape[2] == 4 else "rgb24"
        frame = av.VideoFrame.from_ndarray(picture, format=source).reformat(format=pix_fmt)
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def still(depth):
    picture = pictures(1)[0]
    if depth == 16:
        return picture.astype(np.uint16) * 257
    return np.concatenate([picture, np.full((48, 64, 1), 128, np.uint8)], axis=2) if depth == "alpha" else picture


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "depth", "off"),
    [
        ("a.png", "png", "rgb24", 8, 0),
        ("a.png", "png", "rgb48be", 16, 1),
        ("a.png", "png", "rgba", "alpha", 0),
        ("a.tiff", "tiff", "rgb24", 8, 0),
        ("a.tif", "tiff", "rgb48le", 16, 1),
        ("a.jpg", "mjpeg", "yuvj444p", 8, 12),
        ("a.bmp", "bmp", "bgr24", 8, 0),
    ],
)
def test_stills_are_videos_of_one_frame(tmp_path, name, codec, pix_fmt, depth, off):
    path = write_still(tmp_path / name, still(depth), codec=codec, pix_fmt=pix_fmt)
    description, timeline, frames = whole(path)
    assert (description["frames"], description["shots"], description["damage"]) == (1, [(0, 0)], [])
    assert timeline.end > timeline.pts[0]
    assert np.abs(plain(frames[0]).astype(int) - pictures(1)[0]).max() <= off


def test_a_gif(tmp_path):
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [255, 255, 255]], np.uint8)
    frames = np.broadcast_to(colours[:, None, None], (4, 48, 64, 3))
    path = tmp_path / "a.gif"
    with av.open(path, "w") as container:
        stream = container.add_stream("gif", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb8"
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="rgb8")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    description, timeline, there = whole(path)
    assert (description["frames"], description["damage"]) == (4, [])
    assert np.diff(seconds(timeline)).tolist() == [Fraction(1, 10)] * 3
    assert np.abs(there.astype(int) - frames).max() <= 3, "eight levels of red and green"


def write_hdr(path, transfer, levels):
    """One gray frame for each 10-bit code of *levels*, tagged BT.2020 with *transfer* of ITU-T H.273."""
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 9, 9, transfer, 1
        for index, level in enumerate(levels):
            frame = av.VideoFrame(64, 64, "yuv420p10le")
            for plane, value in zip(frame.planes, (level, 512, 512), strict=True):
                plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
            frame.pts, frame.colorspace, frame.color_range = index, 9, 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(("transfer", "name"), [(16, "smpte2084"), (18, "arib-std-b67")])
def test_high_dynamic_range_is_mapped(tmp_path, transfer, name):
    path = write_hdr(tmp_path / "a.mkv", transfer, [64, 250, 440, 580, 800])
    reading = read_as(path)
    assert (reading.matrix, reading.transfer, reading.full_range) == ("bt2020nc", name, False)
    pictures = decoded(path)
    assert pictures.dtype == np.uint8
    assert np.ptp(pictures, axis=(1, 2, 3)).max() <= 2, "gray stays gray"
    grays = pictures.mean(axis=(1, 2, 3))
    assert grays[0] < 3
    assert (np.diff(grays) >= 0).all()
    assert len(set(grays.round())) >= 4
    assert abs(decoded(path, transfer="sdr")[2].mean() - grays[2]) > 5, "the curve makes a difference"


def test_ten_bits_without_a_curve_of_their_own_are_only_rounded(tmp_path):
    path = write_hdr(tmp_path / "a.mkv", 14, [502])
    assert read_as(path).transfer == "bt709"
    assert abs(decoded(path)[0].mean() - (502 / 4 - 16) / 219 * 255) < 1


@pytest.mark.parametrize("options", [INTRA, {"g": "8", "bf": "2", "x264-params": "b-adapt=0"}], ids=["intra", "b"])
def test_a_raw_stream_keeps_all_frames_in_order(tmp_path, options):
    frames = pictures(20)
    path = write_clip(tmp_path / "a.h264", frames, options=options | {"crf": "1"})
    description, timeline, there = whole(path, field_order="progressive")
    assert description["frames"] == 20
    assert (np.diff(timeline.pts) > 0).all()
    assert timeline.end * timeline.time_base - seconds(timeline)[0] == Fraction(20, 25)
    nearest = [np.abs(frames.astype(int) - picture).mean(axis=(1, 2, 3)).argmin() for picture in there]
    assert nearest == list(range(20))


def test_one_wrong_time_leaves_the_later_ones_alone(tmp_path, monkeypatch):
    from restoration.media import source

    path = write_clip(tmp_path / "a.mp4", pictures(8), options=INTRA)
    frames = source.tolerant

    def repeated(*arguments):
        for index, frame in enumerate(frames(*arguments)):
            if index == 4:
                frame.pts = frame.dts = 3 * 512
            if index > 4:
                frame.pts = frame.dts = (index - 1) * 512
            yield frame

    monkeypatch.setattr(source, "tolerant", repeated)
    description, timeline = probe(path, wishes(field_order="progressive"))
    assert description["times_invented"] == 1
    assert timeline.pts[5:].tolist() == [4 * 512, 5 * 512, 6 * 512]


@pytest.mark.parametrize(
    ("chosen", "size"), [("16:15", [68, 48]), ("8:9", [64, 54]), ("1:1", [64, 48]), ("2:1", [128, 48])]
)
def test_no_line_is_lost_by_square_pixels(tmp_path, chosen, size):
    path = write_clip(tmp_path / "a.mp4", pictures(2), aspect=Fraction(5, 4))
    assert probe(path, wishes(sar=chosen))[0]["size"] == size
    assert probe(path, wishes())[0]["size"] == [80, 48]


@pytest.mark.parametrize(
    ("angle", "chosen", "found"), [(90, {}, (90, False)), (30, {}, (0, True)), (30, {"rotation": "0"}, (0, False))]
)
def test_angles_that_are_no_quarter_turns_are_said_to_be_assumed(tmp_path, angle, chosen, found):
    reading = read_as(write_clip(tmp_path / "a.mov", pictures(3), rotation=angle), **chosen)
    assert (reading.rotation, "rotation" in reading.assumed) == found
