"""Oddities of real files, each made in small: they are read right, and nothing but the picture changes."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.filter import Graph

from media_factory import (
    INTRA,
    Tone,
    decoded,
    interlaced,
    panned,
    pictures,
    read_as,
    sound_packets,
    video_times,
    wishes,
    write_clip,
)
from restoration.media import source as source_module
from restoration.media.codecs import EncodeSettings
from restoration.media.encode import encode
from restoration.media.extract import extract
from restoration.media.probe import probe

H264 = EncodeSettings("h264", 10, "ultrafast")
FFV1 = EncodeSettings("ffv1", container="mkv")
RATE = 48000


def delivered(source, target, **excerpt):
    """Deliver *source* unrestored; give description, timeline and ledger."""
    description, timeline = probe(source, wishes(**excerpt))
    frames = extract(source, description, timeline, 0, len(timeline.pts) - 1)
    settings = FFV1 if target.suffix == ".mkv" else H264
    ledger, damage = encode(
        target, frames, timeline, source, description, settings, trimmed=bool(excerpt), strict=False
    )
    return description, timeline, ledger, damage


def with_sound(path, sound, codec, channels=1, *, gap=0.0):
    """Two seconds of MPEG-4 pictures and of *sound* (samples), with a *gap* in seconds after the first."""
    with av.open(path, "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream(codec, rate=RATE, layout=f"{channels}c")
        track.bit_rate = 128000
        for rgb in pictures(50):
            container.mux(video.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(video.encode())
        for first in range(0, len(sound), 1024):
            block = np.repeat(sound[first : first + 1024], channels)[None]
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout=f"{channels}c")
            frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
            frame.pts = first + (round(gap * RATE) if first >= RATE else 0)
            container.mux(track.encode(frame))
        container.mux(track.encode())
    return path


def clicks(*seconds, length=2.0):
    """Silence with a short tone at each of *seconds*."""
    sound = np.zeros(round(length * RATE), np.int16)
    for begin in seconds:
        first = round(begin * RATE)
        sound[first : first + 960] = 20000 * np.sin(np.arange(960) * 0.3)
    return sound


def heard(path):
    """When the loud stretches of the sound begin, in seconds after the first picture."""
    loud = list[float]()
    with av.open(path) as container:
        for frame in container.decode(audio=0):
            wave = frame.to_ndarray().astype(float)
            samples = wave if frame.format.is_planar else wave[0].reshape(frame.samples, -1).T
            middle, peak = {"u8": (128, 128), "s1": (0, 2**15), "s3": (0, 2**31), "fl": (0, 1)}[frame.format.name[:2]]
            places = np.flatnonzero(np.abs(samples - middle).max(axis=0) > peak / 8)
            loud += [float(frame.pts * frame.time_base) + place / RATE for place in places]
    begins = [time for before, time in zip([-1.0, *loud], loud, strict=False) if time - before > 0.1]
    return [time - float(video_times(path)[0]) for time in begins]


@pytest.mark.parametrize("size", ["96x64", "160x120", "320x240"])
@pytest.mark.parametrize(("count", "codec"), [(60, "ffv1"), (18, "mpeg2video")], ids=["unflagged", "short and flagged"])
def test_progressive_pictures_that_look_like_fields_are_left_alone(tmp_path, count, codec, size):
    width, height = map(int, size.split("x"))
    options = {"flags": "+ildct+ilme", "b": "20M", "g": "1"} if codec == "mpeg2video" else {}
    graph = Graph()
    graph.link_nodes(
        graph.add("testsrc2", f"size={size}:rate=25"), graph.add("format", "yuv420p"), graph.add("buffersink")
    ).configure()
    with av.open(tmp_path / "a.mkv", "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(count):
            container.mux(stream.encode(graph.vpull()))
        container.mux(stream.encode())
    assert read_as(tmp_path / "a.mkv").fields == "progressive"


@pytest.mark.parametrize("pix_fmt", ["uyvy422", "rgb24"])
@pytest.mark.parametrize("first", ["top", "bottom"])
def test_fields_are_found_in_every_kind_of_pixels(tmp_path, pix_fmt, first):
    codec = "png" if pix_fmt == "rgb24" else "rawvideo"
    path = write_clip(tmp_path / "a.mov", interlaced(panned(120), first), codec=codec, pix_fmt=pix_fmt, bt709=False)
    assert read_as(path).fields == first


@pytest.mark.parametrize(("name", "codec", "channels"), [("a.avi", "pcm_s16le", 2), ("a.mkv", "pcm_s24le", 8)])
def test_sound_whose_channels_are_only_counted_goes_into_mp4(tmp_path, name, codec, channels):
    source = with_sound(tmp_path / name, clicks(0.5, 1.5), codec, channels)
    delivered(source, tmp_path / "out.mp4")
    assert heard(tmp_path / "out.mp4") == pytest.approx([0.5, 1.5], abs=0.002)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("name", ["a.wmv", "a.avi"])
def test_sound_that_its_decoder_holds_back_to_the_last(tmp_path, name, suffix):
    source = with_sound(tmp_path / name, clicks(0.5, 1.5), "wmav2", 2)
    ledger = delivered(source, tmp_path / f"out.{suffix}")[2]
    assert [(entry.codec, entry.fate) for entry in ledger] == [("mpeg4", "restored"), ("wmav2", "converted")]
    assert heard(tmp_path / f"out.{suffix}") == pytest.approx(heard(source), abs=0.002)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_times_of_b_frames_in_avi(tmp_path, codec):
    frames = pictures(30)
    path = write_clip(tmp_path / "a.avi", frames, codec=codec, options={"bf": "2", "g": "12", "b": "4M"})
    description, timeline = probe(path, wishes(field_order="progressive"))
    assert (description["frames"], description["times_invented"]) == (30, 0)
    assert np.diff(timeline.pts).tolist() == [1] * 29
    there = np.stack(list(extract(path, description, timeline, 0, 29))).astype(int)
    assert [np.abs(frames - picture).mean(axis=(1, 2, 3)).argmin() for picture in there] == list(range(30))


@pytest.mark.parametrize("wrong", [5, 500])
def test_one_time_that_is_far_off_leaves_the_others_alone(tmp_path, monkeypatch, wrong):
    path = write_clip(tmp_path / "a.mp4", pictures(30), options=INTRA)
    pictures_of = source_module.tolerant

    def mistaken(*arguments):
        for index, frame in enumerate(pictures_of(*arguments)):
            frame.pts = frame.dts = 512 * (wrong if index == 20 else index)
            yield frame

    monkeypatch.setattr(source_module, "tolerant", mistaken)
    description, timeline = probe(path, wishes(field_order="progressive"))
    assert (description["time_jumps"], description["times_invented"]) == ([], 1)
    assert timeline.pts.tolist() == [512 * index for index in range(20)] + [
        19 * 512 + 256,
        *(512 * index for index in range(21, 30)),
    ]


@pytest.mark.parametrize("codec", ["mp2", "ac3", "pcm_s16le"])
def test_sound_in_avi_stays_in_place_in_an_excerpt(tmp_path, codec):
    source = with_sound(tmp_path / "a.avi", clicks(0.5, 1.5), codec)
    delivered(source, tmp_path / "out.mkv", start=0.4, end=1.8)
    expected = [time - 0.4 for time in heard(source)]
    assert heard(tmp_path / "out.mkv") == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("codec", ["pcm_s16be", "pcm_s24le", "pcm_f32le", "pcm_u8", "aac"])
def test_a_gap_in_the_sound_stays(tmp_path, codec, suffix):
    source = with_sound(tmp_path / "a.mkv", clicks(0.5, 1.25), codec, gap=0.6)
    delivered(source, tmp_path / f"out.{suffix}")
    assert heard(source) == pytest.approx([0.5, 1.85], abs=0.03)
    assert heard(tmp_path / f"out.{suffix}") == pytest.approx(heard(source), abs=0.002)


def test_a_late_beginning_is_no_truncation(tmp_path):
    late = {"container_options": {"output_ts_offset": "5000"}}
    for name, clip in (("a.nut", {"codec": "mpeg4"}), ("a.wmv", {"codec": "wmv2"}), ("a.mkv", {})):
        assert probe(write_clip(tmp_path / name, pictures(), **clip, **late), wishes())[0]["damage"] == []


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_a_clock_that_overflows(tmp_path, suffix):
    overflow = 2**33 / 90000
    clip = {"options": {"bf": "2"}, "container_options": {"output_ts_offset": str(overflow - 1)}}
    source = write_clip(tmp_path / "a.ts", pictures(50), sound=[Tone("mp2", seconds=2.0, start=0.02)], **clip)
    _, timeline, _, _ = delivered(source, tmp_path / f"out.{suffix}")
    begin = int(timeline.pts[0]) * timeline.time_base
    assert begin < 0 < timeline.end
    times = video_times(tmp_path / f"out.{suffix}")
    assert np.ptp(np.array([float(time) for time in times]) - timeline.pts * float(timeline.time_base)) < 0.001
    (before,), (after,) = (sound_packets(path) for path in (source, tmp_path / f"out.{suffix}"))
    assert float(after[0][0] - times[0]) == pytest.approx(float(before[0][0] - begin), abs=0.001)


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (17, 13)])
def test_the_smallest_pictures(tmp_path, size):
    frames = pictures(12, *size)
    source = write_clip(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt="bgr0", bt709=False)
    delivered(source, tmp_path / "out.mkv")
    np.testing.assert_array_equal(decoded(tmp_path / "out.mkv"), frames)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_two_packets_of_sound_at_one_time(tmp_path, suffix):
    plain = write_clip(tmp_path / "plain.mkv", pictures(), sound=[Tone("mp2")])
    with av.open(plain) as container, av.open(tmp_path / "a.mkv", "w") as output:
        copies = [output.add_stream_from_template(stream) for stream in container.streams]
        packets = [packet for packet in container.demux() if packet.size]
        sound = [packet for packet in packets if packet.stream.type == "audio"]
        sound[20].pts = sound[20].dts = sound[19].pts
        for packet in packets:
            packet.stream = copies[packet.stream_index]
            output.mux(packet)
    delivered(tmp_path / "a.mkv", tmp_path / f"out.{suffix}")
    (before,), (after,) = (sound_packets(path) for path in (tmp_path / "a.mkv", tmp_path / f"out.{suffix}"))
    assert [data for _, data in after] == [data for _, data in before]
    assert max(abs(there - due) for (there, _), (due, _) in zip(after, before, strict=True)) < Fraction(2, 1000)
