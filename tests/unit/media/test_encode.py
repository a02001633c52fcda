"""The final encode: every picture at its time, every sound untouched, or no file."""

import errno
import re
from fractions import Fraction

import av
import numpy as np
import pytest

from media_factory import (
    INTRA,
    Tone,
    decoded,
    packet_bytes,
    panned,
    pictures,
    sound_packets,
    video_times,
    wishes,
    write_clip,
)
from restoration.errors import RestorationError
from restoration.media.codecs import EncodeSettings
from restoration.media.encode import encode
from restoration.media.mark import SOURCE_TYPE, read_mark
from restoration.media.probe import probe

FAST = EncodeSettings("h264", 16, "ultrafast")
NTSC = Fraction(24000, 1001)
VFR = {"time_base": Fraction(1, 90000), "pts": [index * 3003 + index % 3 * 700 for index in range(24)]}
OFFSET = {"time_base": Fraction(1, 24000), "pts": [index * 1001 + 48000 for index in range(24)], "rate": NTSC}


def deliver(source, target, frames=None, settings=FAST, sealing=None, **excerpt):
    """Probe and encode; give the times in seconds that the pictures must have."""
    description, timeline = probe(source, wishes(**excerpt))
    frames = pictures(len(timeline.pts)) if frames is None else frames
    trimmed = bool(excerpt)
    encode(target, frames, timeline, source, description, settings, trimmed=trimmed, strict=False, **sealing or {})
    origin = int(timeline.pts[0]) if trimmed else 0
    assert [path.name for path in target.parent.glob("*.part*")] == []
    return [(int(pts) - origin) * timeline.time_base for pts in timeline.pts]


@pytest.mark.parametrize(
    "settings", [FAST, EncodeSettings("h264", 20, "medium"), EncodeSettings("h265", 20, "ultrafast")]
)
@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("a.mp4", VFR),
        ("a.mp4", OFFSET),
        ("a.mp4", {"rate": NTSC}),
        ("a.avi", {"rate": NTSC, "codec": "mpeg4"}),
        ("a.ts", {}),
    ],
    ids=["vfr", "offset", "ntsc", "avi", "ts"],
)
def test_times_in_mp4_are_exact(tmp_path, name, clip, settings):
    target = tmp_path / "out.mp4"
    due = deliver(write_clip(tmp_path / name, pictures(), **clip), target, settings=settings)
    assert video_times(target) == due


@pytest.mark.parametrize("clip", [VFR, OFFSET, {"rate": NTSC}], ids=["vfr", "offset", "ntsc"])
def test_times_in_mkv_are_exact_to_its_millisecond(tmp_path, clip):
    target = tmp_path / "out.mkv"
    due = deliver(write_clip(tmp_path / "a.mp4", pictures(), **clip), target)
    there = video_times(target)
    assert len(there) == len(due)
    assert max(abs(a - b) for a, b in zip(there, due, strict=True)) <= Fraction(1, 2000)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_the_shortest_videos(tmp_path, count, name):
    target = tmp_path / "out.mp4"
    due = deliver(write_clip(tmp_path / name, pictures(count)), target)
    assert video_times(target) == due
    assert len(due) == count


@pytest.mark.parametrize("settings", [EncodeSettings("h264", 4, "ultrafast"), EncodeSettings("h265", 4, "ultrafast")])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_each_picture_stands_at_its_own_time(tmp_path, settings, suffix):
    frames = pictures()
    target = tmp_path / f"out.{suffix}"
    deliver(write_clip(tmp_path / "a.mp4", frames, **VFR), target, frames, settings)
    there = decoded(target).astype(int)
    nearest = [np.abs(frames.astype(int) - picture).mean(axis=(1, 2, 3)).argmin() for picture in there]
    assert nearest == list(range(24))
    assert np.abs(there - frames).mean() < 3


DELIVERIES = [
    EncodeSettings(codec, crf, "ultrafast", container, bits, **more)
    for codec, crf, container, bits, more in (
        ("h264", 8, "mov", "8", {}),
        ("h264", 8, "mp4", "10", {}),
        ("h265", 8, "mkv", "10", {}),
        ("h265", 8, "mov", "8", {"max_bitrate": 9000}),
        ("av1", 16, "mp4", "8", {}),
        ("av1", 16, "mkv", "10", {}),
        ("prores", 0, "mov", "auto", {}),
        ("prores", 0, "mkv", "10", {"prores": "4444"}),
        ("ffv1", 0, "mkv", "auto", {}),
    )
]


@pytest.mark.parametrize("size", [(64, 48), (67, 41)], ids=["even", "odd"])
@pytest.mark.parametrize("settings", DELIVERIES, ids=lambda s: f"{s.codec}-{s.container}-{s.bits}")
def test_every_codec_in_its_containers(tmp_path, settings, size):
    frames = pictures(24, *size)
    source = write_clip(tmp_path / "a.mov", pictures(), **VFR, sound=[Tone(), Tone("pcm_s16le")])
    target = tmp_path / f"out.{settings.container}"
    due = deliver(source, target, frames, settings)
    tick = Fraction(1, 1000) if settings.container == "mkv" else Fraction(1, 90000)
    shift = video_times(target)[0] - due[0]
    assert max(abs(a - b - shift) for a, b in zip(video_times(target), due, strict=True)) < tick
    difference = np.abs(decoded(target).astype(int) - frames)
    assert difference.max() == 0 if settings.codec == "ffv1" else difference.mean() < 3
    with av.open(target) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio", "audio"]
        formats = container.streams.video[0].codec_context.pix_fmt
    assert ("10" in formats or "12" in formats) == (settings.bits == "10" or settings.codec == "prores")


@pytest.mark.parametrize("codec", ["h264", "h265", "av1", "prores", "ffv1"])
def test_the_same_frames_give_the_same_bytes(tmp_path, codec):
    suffix = "mkv" if codec in ("prores", "ffv1") else "mp4"
    source = write_clip(tmp_path / "a.mp4", pictures())
    for name in ("one", "two"):
        deliver(source, tmp_path / f"{name}.{suffix}", pictures(24, 96, 64), EncodeSettings(codec, 20, "fast"))
    assert packet_bytes(tmp_path / f"one.{suffix}") == packet_bytes(tmp_path / f"two.{suffix}")


@pytest.mark.parametrize("codec", ["h264", "h265", "av1"])
def test_a_bit_rate_is_kept_about(tmp_path, codec):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (50, 96, 128, 3)).astype(np.uint8)
    source = write_clip(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt="bgr0", bt709=False)
    sizes = []
    for rate in (200, 2000):
        deliver(source, target := tmp_path / "out.mp4", frames, EncodeSettings(codec, preset="fast", bitrate=rate))
        sizes.append(sum(map(len, packet_bytes(target))))
    assert sizes[1] > 2 * sizes[0]


@pytest.mark.parametrize(
    ("aspect", "rotation", "shown", "stored"),
    [
        (Fraction(16, 11), 0, (94, 48), (64, 48)),
        (Fraction(8, 9), 0, (64, 54), (64, 48)),
        (Fraction(16, 11), 90, (48, 94), (48, 64)),
    ],
)
def test_pixels_of_the_source_on_demand(tmp_path, aspect, rotation, shown, stored):
    source = write_clip(tmp_path / "a.mp4", pictures(4), aspect=aspect, rotation=rotation)
    frames = decoded(source)
    assert frames.shape == (4, shown[1], shown[0], 3)
    target = tmp_path / "out.mp4"
    deliver(source, target, frames.repeat(2, axis=1).repeat(2, axis=2), EncodeSettings("h264", 8, sar="source"))
    with av.open(target) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == (2 * stored[0], 2 * stored[1])
        assert video.sample_aspect_ratio == (1 / aspect if rotation else aspect)


@pytest.mark.parametrize(("codec", "suffix"), [("h264", "mp4"), ("h264", "mkv"), ("h265", "mov")])
def test_closed_captions_stay_with_their_pictures(tmp_path, codec, suffix):
    source = write_clip(tmp_path / "plain.mp4", pictures(), **VFR)
    description, timeline = probe(source, wishes())
    captions = ["" if number % 3 else f"fc94{number:02x}fd0000" * (1 + 2 * number) for number in range(24)]
    timeline.table["captions"] = captions
    given = source, description, EncodeSettings(codec, 20, "fast")
    told, again = tmp_path / f"told.{suffix}", tmp_path / "again.mp4"
    assert encode(told, pictures(), timeline, *given, trimmed=False, strict=False)[0][-1].fate == "copied"
    description, timeline = probe(told, wishes())
    assert description["captions"]
    assert timeline.table["captions"].tolist() == captions
    entry = encode(again, pictures(), timeline, told, description, FAST, trimmed=False, strict=False)[0][-1]
    assert (entry.type, entry.fate) == ("captions", "copied")
    assert probe(again, wishes())[1].table["captions"].tolist() == captions
    lost = EncodeSettings("av1", 30, "ultrafast")
    entry = encode(again, pictures(), timeline, told, description, lost, trimmed=False, strict=False)[0][-1]
    assert (entry.type, entry.fate) == ("captions", "dropped")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda frames: frames[10:12].fill(0), "2 frames, the first 10, became black by restoration"),
        (lambda frames: frames.__setitem__(slice(10, 15), frames[9]), "frames 10 to 14 stand still"),
    ],
    ids=["black", "frozen"],
)
def test_what_the_source_lacks_is_refused(tmp_path, damage, says):
    source = write_clip(tmp_path / "a.mkv", panned(24), codec="ffv1", pix_fmt="bgr0", bt709=False)
    frames = panned(24)
    damage(frames)
    with pytest.raises(RestorationError, match=says):
        deliver(source, tmp_path / "out.mp4", frames)
    assert not (tmp_path / "out.mp4").exists()
    write_clip(source, frames, codec="ffv1", pix_fmt="bgr0", bt709=False)
    deliver(source, tmp_path / "out.mp4", frames)


def ledger_of(source, target, **excerpt):
    """What encoding says about the streams of *source*."""
    description, timeline = probe(source, wishes(**excerpt))
    frames = pictures(len(timeline.pts))
    return encode(target, frames, timeline, source, description, FAST, trimmed=bool(excerpt), strict=False)[0]


def durations(path):
    with av.open(path) as container:
        return {p.pts * p.time_base: p.duration * p.time_base for p in container.demux(video=0) if p.size}


def test_durations_are_those_of_the_source(tmp_path):
    target = tmp_path / "out.mp4"
    source = write_clip(tmp_path / "a.mp4", pictures(), **VFR, options={"bf": "0"})
    due = deliver(source, target)
    with av.open(target) as container:
        stream = container.streams.video[0]
        assert stream.duration * stream.time_base == due[-1] + durations(source)[due[-1]]


def lifted(source, target):
    """By how much Matroska, which has no negative times, moved everything so that the sound's lead-in fits."""
    return video_times(target)[0] - video_times(source)[0]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("aac", "a.mp4"),
        ("libmp3lame", "a.mp4"),
        ("libmp3lame", "a.mkv"),
        ("pcm_s16le", "a.mkv"),
        ("pcm_s16le", "a.mov"),
        ("flac", "a.mkv"),
        ("ac3", "a.mkv"),
    ],
)
def test_sound_is_copied_to_the_byte_and_at_its_time(tmp_path, codec, name, suffix):
    source = write_clip(tmp_path / name, pictures(), sound=[Tone(codec), Tone(codec, 880, language="fra")])
    target = tmp_path / f"out.{suffix}"
    deliver(source, target)
    before, after = sound_packets(source), sound_packets(target)
    assert len(before) == len(after) == 2
    lift = lifted(source, target)
    assert lift == 0 or suffix == "mkv"
    for track, copy in zip(before, after, strict=True):
        assert b"".join(data for _, data in track) == b"".join(data for _, data in copy)
        assert abs(track[0][0] + lift - copy[0][0]) <= Fraction(1, 1000)
        if not codec.startswith("pcm"):  # which is cut into packets of another length
            assert [data for _, data in track] == [data for _, data in copy]
            assert max(abs(a + lift - b) for (a, _), (b, _) in zip(track, copy, strict=True)) <= Fraction(1, 1000)
    assert before[0][5][1] != before[1][5][1], "the tracks must differ for this to mean anything"
    with av.open(target) as container:
        assert container.streams.audio[1].metadata["language"] == "fra"


@pytest.mark.parametrize(
    "starts",
    [(0.0, 0.5), (0.3, 0.3), (0.5, 0.0)],
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_tracks_that_begin_at_different_times_stay_where_they_are(tmp_path, starts, suffix):
    tones = [Tone(start=start, hertz=440 + 440 * index) for index, start in enumerate(starts)]
    source = write_clip(tmp_path / "a.mp4", pictures(), sound=tones)
    deliver(source, target := tmp_path / f"out.{suffix}")
    lift = lifted(source, target)
    for track, copy in zip(sound_packets(source), sound_packets(target), strict=True):
        assert [data for _, data in track] == [data for _, data in copy]
        assert abs(track[0][0] + lift - copy[0][0]) <= Fraction(1, 1000)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_sound_stays_in_step_with_a_late_picture(tmp_path, suffix):
    source = write_clip(tmp_path / "a.mp4", pictures(), **OFFSET, sound=[Tone(start=1.5, seconds=2)])
    deliver(source, target := tmp_path / f"out.{suffix}")
    before = video_times(source)[0] - sound_packets(source)[0][0][0]
    after = video_times(target)[0] - sound_packets(target)[0][0][0]
    assert abs(before - after) <= Fraction(1, 1000)


def test_adts_sound_of_transport_streams(tmp_path):
    source = write_clip(tmp_path / "a.ts", pictures(), sound=[Tone()])
    deliver(source, target := tmp_path / "out.mp4")
    assert len(sound_packets(target)[0]) == len(sound_packets(source)[0])


def fates(ledger):
    return [(entry.stream, entry.codec, entry.fate) for entry in ledger]


def samples(path):
    """Every sample of the first sound, as numbers, and the codec's name."""
    with av.open(path) as container:
        frames = [frame.to_ndarray().reshape(-1).astype(np.int64) for frame in container.decode(audio=0)]
        return np.concatenate(frames), container.streams.audio[0].codec_context.name


def test_sound_that_the_container_cannot_hold_becomes_flac(tmp_path):
    source = write_clip(tmp_path / "a.mkv", pictures(), sound=[Tone("wavpack")])
    assert fates(ledger_of(source, tmp_path / "out.mkv")) == [(0, "h264", "restored"), (1, "wavpack", "copied")]
    assert fates(ledger_of(source, tmp_path / "out.mp4")) == [(0, "h264", "restored"), (1, "wavpack", "converted")]
    (before, _), (after, codec) = samples(source), samples(tmp_path / "out.mp4")
    assert codec == "flac"
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "pcm_mulaw"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_old_sound_of_avi_files_has_a_way(tmp_path, codec, suffix):
    source = write_clip(tmp_path / "a.avi", pictures(), codec="mpeg4", sound=[Tone(codec)])
    target = tmp_path / f"out.{suffix}"
    (_, (_, _, fate)) = fates(ledger_of(source, target))
    assert fate in ("copied", "converted")
    (before, _), (after, there) = samples(source), samples(target)
    assert there == (codec if fate == "copied" else "flac")
    np.testing.assert_array_equal(after, before)


def test_sound_of_an_unknown_codec_is_dropped_and_listed(tmp_path, caplog):
    source = write_clip(tmp_path / "a.mov", pictures(), sound=[Tone("pcm_s16le")])
    source.write_bytes(source.read_bytes().replace(b"sowt", b"zzzz"))
    entry = ledger_of(source, tmp_path / "out.mp4")[1]
    assert (entry.type, entry.codec, entry.fate, entry.reason) == ("audio", None, "dropped", "its codec is unknown")
    assert "Stream 1 (audio None) is dropped: its codec is unknown" in caplog.text


@pytest.mark.parametrize("clip", [{}, OFFSET], ids=["from 0", "offset"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_an_excerpt_begins_at_0_with_its_sound(tmp_path, suffix, clip):
    begins = 2.0 if clip else 0.0
    source = write_clip(tmp_path / "a.mp4", pictures(), **clip, sound=[Tone(start=begins)])
    target = tmp_path / f"out.{suffix}"
    due = deliver(source, target, start=0.3, end=0.7)
    there = video_times(target)
    shift = there[0] - due[0]
    assert due[0] == 0
    assert 0 <= shift <= Fraction(1, 1000), "Matroska may lift everything by the rounding of the sound's first time"
    assert max(abs(a - b - shift) for a, b in zip(there, due, strict=True)) <= (
        0 if suffix == "mp4" else Fraction(1, 1000)
    )
    timeline = probe(source, wishes(start=0.3, end=0.7))[1]
    origin, end = int(timeline.pts[0]) * timeline.time_base, timeline.end * timeline.time_base
    wanted = [(time - origin, data) for time, data in sound_packets(source)[0] if origin <= time < end]
    copied = sound_packets(target)[0]
    assert [data for _, data in copied] == [data for _, data in wanted]
    assert max(abs(a - b - shift) for (a, _), (b, _) in zip(copied, wanted, strict=True)) <= Fraction(1, 1000)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_colour_is_tagged_as_bt709(tmp_path, codec, suffix):
    source = write_clip(tmp_path / "a.mkv", pictures(4), codec="ffv1", pix_fmt="bgr0", bt709=False)
    deliver(source, target := tmp_path / f"out.{suffix}", settings=EncodeSettings(codec, 20, "ultrafast"))
    with av.open(target) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"
        if (codec, suffix) == ("h265", "mp4"):
            assert context.codec_tag == "hvc1"


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize(("width", "height"), [(67, 41), (64, 47), (63, 48)])
def test_odd_sizes_are_kept(tmp_path, codec, width, height):
    source = write_clip(tmp_path / "a.mp4", pictures(4))
    frames = pictures(4, width, height)
    deliver(source, target := tmp_path / "out.mp4", frames, EncodeSettings(codec, 4, "ultrafast"))
    assert decoded(target).shape == (4, height, width, 3)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("size", [(64, 48), (65, 49)], ids=["4:2:0", "4:4:4"])
def test_saturated_colours_survive(tmp_path, codec, size):
    width, height = size
    colours = np.array([[r, g, b] for r in (0, 128, 255) for g in (0, 128, 255) for b in (0, 128, 255)], np.uint8)
    frames = np.broadcast_to(colours[:, None, None], (27, height, width, 3))
    source = write_clip(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt="bgr0", bt709=False)
    deliver(source, target := tmp_path / "out.mp4", frames, EncodeSettings(codec, 2, "ultrafast"))
    assert np.abs(decoded(target).astype(int) - frames).max() <= 4


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(16, 11), (94, 48)), (Fraction(8, 9), (64, 54))], ids=["wide", "narrow"]
)
def test_pixels_become_square(tmp_path, aspect, size):
    source = write_clip(tmp_path / "a.mp4", pictures(4), aspect=aspect)
    frames = decoded(source)
    assert frames.shape == (4, size[1], size[0], 3)
    deliver(source, target := tmp_path / "out.mp4", frames)
    with av.open(target) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.sample_aspect_ratio or 1) == (*size, 1)


@pytest.mark.parametrize("count", [0, 1, 23, 25, 100])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_too_few_or_too_many_frames_leave_no_file(tmp_path, count, suffix):
    source = write_clip(tmp_path / "a.mp4", pictures(), sound=[Tone()])
    with pytest.raises(RestorationError, match=rf"out\.{suffix}: 24 frames were due and {count} came"):
        deliver(source, tmp_path / f"out.{suffix}", pictures(count))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_an_error_of_the_frames_leaves_no_file_and_is_raised(tmp_path):
    def frames():
        yield from pictures(5)
        raise RestorationError("x.mkv: frame 5 of the chunk is not what was written")

    source = write_clip(tmp_path / "a.mp4", pictures())
    with pytest.raises(RestorationError, match=r"^x\.mkv: frame 5"):
        deliver(source, tmp_path / "out.mp4", frames())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_full_disk_is_not_the_sources_fault(tmp_path):
    def frames():
        yield from pictures(5)
        raise OSError(errno.ENOSPC, "No space left on device")

    source = write_clip(tmp_path / "a.mp4", pictures())
    with pytest.raises(OSError, match="No space left"):
        deliver(source, tmp_path / "out.mp4", frames())


def tampered(monkeypatch, change):
    """Let the file that was written be other than what was sent."""
    from restoration.media import encode as module

    prove = module.prove

    def prove_after(path, *arguments):
        change(path)
        prove(path, *arguments)

    monkeypatch.setattr(module, "prove", prove_after)


def lose_a_frame(path):
    rewrite(path, lambda packet, number: packet.stream.type != "video" or number != 23)


def lose_sound(path):
    rewrite(path, lambda packet, number: packet.stream.type != "audio" or number % 20)


def delay(path):
    def later(packet, number):
        if packet.stream.type == "video" and number > 12:
            packet.pts, packet.dts = packet.pts + 512, packet.dts + 512
        return True

    rewrite(path, later)


def delay_sound(path):
    def later(packet, number):
        if packet.stream.type == "audio":
            packet.pts, packet.dts = packet.pts + 4800, packet.dts + 4800
        return True

    rewrite(path, later)


def stretch_sound(path):
    def later(packet, number):
        if packet.stream.type == "audio" and number > 20:
            packet.pts, packet.dts = packet.pts + 2400, packet.dts + 2400
        return True

    rewrite(path, later)


def rewrite(path, keep):
    copy = path.with_name("copy.mp4")
    with av.open(path) as before, av.open(copy, "w") as after:
        streams = {stream.index: after.add_stream_from_template(stream) for stream in before.streams}
        numbers = dict.fromkeys(streams, 0)
        for packet in before.demux():
            if packet.size:
                index = packet.stream.index
                if keep(packet, numbers[index]):
                    packet.stream = streams[index]
                    after.mux(packet)
                numbers[index] += 1
    copy.replace(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: None, None),
        (lambda path: rewrite(path, lambda packet, number: True), None),
        (lose_a_frame, "24 frames were due and 23 are in the file"),
        (lose_sound, "the sound in the file is not what was put in"),
        (delay, r"frame 13 is due at 13/25 s and shown at 14/25 s"),
        (delay_sound, r"sound stream \d begins 0\.(100|099) s off"),
        (stretch_sound, r"sound stream \d ends 0\.(050|049) s off"),
    ],
)
def test_the_file_is_read_back_and_proved(tmp_path, monkeypatch, change, says):
    tampered(monkeypatch, change)
    source = write_clip(tmp_path / "a.mp4", pictures(), sound=[Tone()])
    if says is None:
        deliver(source, tmp_path / "out.mp4")
        return
    with pytest.raises(RestorationError, match=rf"{re.escape(str(tmp_path))}/out\.mp4: {says}"):
        deliver(source, tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("size", [(64, 48), (128, 96), (100, 52)])
def test_the_same_frames_give_the_same_packets(tmp_path, codec, size):
    source = write_clip(tmp_path / "a.mp4", pictures())
    frames = pictures(24, *size)
    for name in ("1.mp4", "2.mp4"):
        deliver(source, tmp_path / name, frames.copy(), EncodeSettings(codec, 16, "fast"))
    assert packet_bytes(tmp_path / "1.mp4") == packet_bytes(tmp_path / "2.mp4")


def test_the_encoder_does_what_does_not_depend_on_the_machine(tmp_path):
    source = write_clip(tmp_path / "a.mp4", pictures(4))
    deliver(source, tmp_path / "out.mp4", pictures(4, 320, 512), EncodeSettings("h264", 30, "medium"))
    # x264 notes its options in the stream.
    options = packet_bytes(tmp_path / "out.mp4")[0]
    assert b" threads=8 " in options
    assert b" mbtree=0 " in options


def test_mp4_begins_with_its_index(tmp_path):
    deliver(write_clip(tmp_path / "a.mp4", pictures(4)), tmp_path / "out.mp4")
    content = (tmp_path / "out.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_an_encoder_that_refuses_is_explained(tmp_path):
    source = write_clip(tmp_path / "a.mp4", pictures(4))
    with pytest.raises(
        RestorationError, match=r"out\.mp4: av1 with these settings cannot be written .* Choose another"
    ):
        # SVT-AV1 has no bit rate for pictures as small as this.
        deliver(source, tmp_path / "out.mp4", settings=EncodeSettings("av1", preset="fast", bitrate=100))
    assert not (tmp_path / "out.mp4").exists()


def test_sound_jumps_with_the_picture(tmp_path):
    for name, hertz in (("one", 440), ("two", 880)):
        write_clip(tmp_path / f"{name}.ts", pictures(50), options=INTRA, sound=[Tone(hertz=hertz, seconds=2)])
    source = tmp_path / "both.ts"
    source.write_bytes((tmp_path / "one.ts").read_bytes() + (tmp_path / "two.ts").read_bytes())
    description, timeline = probe(source, wishes())
    assert (description["frames"], len(description["time_jumps"])) == (100, 1)
    target = tmp_path / "out.mp4"
    ledger, damage = encode(target, pictures(100), timeline, source, description, FAST, trimmed=False, strict=False)
    assert [entry.fate for entry in ledger] == ["restored", "copied"]
    before, after = sound_packets(tmp_path / "one.ts")[0], sound_packets(target)[0]
    # The second part's sound keeps its place beside the second part's pictures.
    shown, jump = video_times(source), Fraction(description["time_jumps"][0])
    lead = sound_packets(tmp_path / "two.ts")[0][5][0] - video_times(tmp_path / "two.ts")[0]
    second = [time for time, _ in after[len(before) :]]
    assert min(abs(time - (video_times(target)[50] + lead)) for time in second) <= Fraction(1, 1000)
    assert len(after) >= 2 * len(before) - 4
    assert (len(shown), jump > 1) == (100, True)
    assert all("overlap" in note for note in damage)


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_a_marked_file_says_that_networks_had_a_part(tmp_path, name):
    source = write_clip(tmp_path / "a.mp4", pictures(24), sound=[Tone()])
    for folder, mark in (("plain", False), ("marked", True)):
        deliver(source, tmp_path / folder / name, sealing={"mark": mark})
    assert read_mark(tmp_path / "plain" / name) == ""
    assert read_mark(tmp_path / "marked" / name) == SOURCE_TYPE
    plain, marked = (packet_bytes(tmp_path / folder / name) for folder in ("plain", "marked"))
    assert plain == marked


def test_a_file_that_sealing_breaks_does_not_appear(tmp_path):
    def halve(path):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises((RestorationError, av.FFmpegError)):
        deliver(
            write_clip(tmp_path / "a.mp4", pictures(24)), tmp_path / "out.mkv", sealing={"mark": True, "seal": halve}
        )
    assert not (tmp_path / "out.mkv").exists()
