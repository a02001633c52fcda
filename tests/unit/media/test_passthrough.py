"""All that a file holds beside its picture: it arrives untouched, or the ledger says what became of it and why."""

from contextlib import ExitStack
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from media_factory import INTRA, SAMPLE_RATE, Tone, pictures, sound_packets, video_times, wishes, write_clip
from restoration.media.codecs import EncodeSettings
from restoration.media.encode import encode
from restoration.media.probe import probe

FAST = EncodeSettings("h264", 20, "ultrafast")
SUBTITLES = "1\n00:00:00,200 --> 00:00:00,400\nFirst.\n\n2\n00:00:00,600 --> 00:00:00,900\nSécond <i>line</i>.\n"


def deliver(source, target, **excerpt):
    """Encode; give the ledger as (type, codec, fate)."""
    description, timeline = probe(source, wishes(field_order="progressive", **excerpt))
    frames = pictures(len(timeline.pts))
    ledger = encode(target, frames, timeline, source, description, FAST, trimmed=bool(excerpt), strict=False)[0]
    assert [entry.stream for entry in ledger] == list(range(len(description["streams"])))
    assert all(entry.reason for entry in ledger if entry.fate in ("dropped", "converted"))
    assert [entry.fate for entry in ledger].count("restored") == 1
    return [(entry.type, entry.codec, entry.fate) for entry in ledger]


def kinds(path):
    with av.open(path) as container:
        return [(s.type, s.codec_context.name if s.codec_context else None) for s in container.streams]


def film(path, *, template=None, chapters=(), metadata=None, attachment=None, timecode=None):
    """A clip of 24 frames, one second, with what is asked for; the streams of the file *template* are copied in."""
    plain = write_clip(path.with_name("plain.mp4"), pictures(), options=INTRA)
    with ExitStack() as stack:
        output = stack.enter_context(av.open(path, "w"))
        output.metadata.update(metadata or {})
        packets = []
        for file in filter(None, (plain, template)):
            source = stack.enter_context(av.open(file))
            copies = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
            packets += [(packet, copies[packet.stream_index]) for packet in source.demux() if packet.size]
        if timecode:
            output.streams[0].metadata["timecode"] = timecode
        if attachment:
            output.add_attachment(*attachment)
        if chapters:
            output.set_chapters(list(chapters))
        for packet, copy in sorted(packets, key=lambda pair: pair[0].dts * pair[0].time_base):
            packet.stream = copy
            output.mux(packet)
    return path


def with_cover(path):
    """A clip of 24 frames and a JPEG as its cover."""
    jpeg = cv2.imencode(".jpg", pictures(1, 32, 32)[0])[1].tobytes()
    if path.suffix == ".mkv":
        return film(path, attachment=("cover.jpg", "image/jpeg", jpeg))
    plain = write_clip(path.with_name("plain.mp4"), pictures(), options=INTRA)
    with av.open(plain) as before, av.open(path, "w") as after:
        copy = after.add_stream_from_template(before.streams.video[0])
        cover = after.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        picture = av.Packet(jpeg)
        picture.pts = picture.dts = 0
        picture.stream, picture.is_keyframe = cover, True
        after.mux(picture)
        for packet in before.demux():
            if packet.size:
                packet.stream = copy
                after.mux(packet)
    return path


def told(path):
    """Begin, length and text of every subtitle."""
    with av.open(path) as container:
        stream = container.streams.subtitles[0]
        # MP4 puts the length before each text and its style after, and an empty text into each gap.
        boxed = stream.codec_context.name == "mov_text"
        found = []
        for packet in container.demux(stream):
            data = bytes(packet)
            text = data[2 : 2 + int.from_bytes(data[:2], "big")] if boxed else data
            if text:
                found.append((packet.pts * packet.time_base, packet.duration * packet.time_base, text.decode()))
        return found


@pytest.fixture
def subtitled(tmp_path):
    (tmp_path / "a.srt").write_text(SUBTITLES, encoding="utf-8")
    return film(tmp_path / "a.mkv", template=tmp_path / "a.srt")


def test_subtitles(tmp_path, subtitled):
    assert deliver(subtitled, tmp_path / "out.mkv")[1] == ("subtitle", "srt", "copied")
    assert told(tmp_path / "out.mkv") == told(subtitled)
    assert len(told(subtitled)) == 2


def test_subtitles_become_those_of_mp4(tmp_path, subtitled):
    assert deliver(subtitled, tmp_path / "out.mp4")[1] == ("subtitle", "srt", "converted")
    assert kinds(tmp_path / "out.mp4") == [("video", "h264"), ("subtitle", "mov_text")]
    there = told(tmp_path / "out.mp4")
    assert [(begin, length) for begin, length, _ in there] == [
        (Fraction(1, 5), Fraction(1, 5)), (Fraction(3, 5), Fraction(3, 10))
    ]  # fmt: skip
    assert "First." in there[0][2]
    assert "Sécond" in there[1][2]


def test_mov_text_becomes_subrip_in_matroska(tmp_path, subtitled):
    deliver(subtitled, tmp_path / "b.mp4")
    assert deliver(tmp_path / "b.mp4", tmp_path / "out.mkv")[1] == ("subtitle", "mov_text", "converted")
    assert [line[:2] for line in told(tmp_path / "out.mkv")] == [line[:2] for line in told(tmp_path / "b.mp4")]
    assert "First." in told(tmp_path / "out.mkv")[0][2]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_subtitles_of_an_excerpt(tmp_path, subtitled, suffix):
    deliver(subtitled, tmp_path / f"out.{suffix}", start=0.4, end=0.8)
    ((begin, _, text),) = told(tmp_path / f"out.{suffix}")
    assert abs(begin - Fraction(1, 5)) <= Fraction(1, 1000)
    assert "Sécond" in text


SECOND = Fraction(1, 1000)
CHAPTERS = [
    {"id": 1, "start": 0, "end": 500, "time_base": SECOND, "metadata": {"title": "Ouverture"}},
    {"id": 2, "start": 500, "end": 960, "time_base": SECOND, "metadata": {"title": "Été"}},
]


def chapters(path):
    with av.open(path) as container:
        return [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"].get("title"))
            for c in container.chapters()
        ]


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_chapters(tmp_path, name, suffix):
    source = film(tmp_path / name, chapters=CHAPTERS)
    assert len(chapters(source)) == 2
    deliver(source, tmp_path / f"out.{suffix}")
    assert chapters(tmp_path / f"out.{suffix}") == chapters(source)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_chapters_of_an_excerpt_are_those_within(tmp_path, suffix):
    source = film(tmp_path / "a.mkv", chapters=CHAPTERS)
    deliver(source, tmp_path / f"out.{suffix}", start=0.4, end=0.8)
    assert chapters(tmp_path / f"out.{suffix}") == [
        (0, Fraction(1, 10), "Ouverture"), (Fraction(1, 10), Fraction(2, 5), "Été")
    ]  # fmt: skip
    deliver(source, tmp_path / f"late.{suffix}", start=0.6)
    ((begin, _, title),) = chapters(tmp_path / f"late.{suffix}")
    assert (begin, title) == (0, "Été")


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_metadata(tmp_path, name, suffix):
    source = film(tmp_path / name, metadata={"title": "Straße, 1962", "comment": "tape 12", "artist": "Archive"})
    deliver(source, tmp_path / f"out.{suffix}")
    with av.open(tmp_path / f"out.{suffix}") as container:
        found = {key.lower(): value for key, value in container.metadata.items()}
    assert {"title": "Straße, 1962", "comment": "tape 12", "artist": "Archive"}.items() <= found.items()


def test_attachments(tmp_path, caplog):
    source = film(tmp_path / "a.mkv", attachment=("font.ttf", "font/ttf", b"no font" * 9))
    assert deliver(source, tmp_path / "out.mkv")[1][::2] == ("attachment", "copied")
    with av.open(tmp_path / "out.mkv") as container:
        (copy,) = [s for s in container.streams if s.type == "attachment"]
        assert (copy.name, copy.mimetype, bytes(copy.data)) == ("font.ttf", "font/ttf", b"no font" * 9)
    assert deliver(source, tmp_path / "out.mp4")[1][2] == "dropped"
    assert "set encode.container: mkv" in caplog.text


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_tracks_keep_order_language_and_sound(tmp_path, name, suffix):
    tones = [Tone(language="deu"), Tone("libmp3lame", 880, language="fra")]
    source = write_clip(tmp_path / name, pictures(), sound=tones)
    assert [fate for *_, fate in deliver(source, tmp_path / f"out.{suffix}")] == ["restored", "copied", "copied"]
    with av.open(tmp_path / f"out.{suffix}") as container:
        assert [s.metadata["language"] for s in container.streams.audio] == ["deu", "fra"]
        assert [s.codec_context.name for s in container.streams.audio] == ["aac", "mp3float"]
    before, after = sound_packets(source), sound_packets(tmp_path / f"out.{suffix}")
    assert [[data for _, data in track] for track in before] == [[data for _, data in track] for track in after]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("excerpt", [{}, {"start": 0.4}], ids=["whole", "excerpt"])
def test_cover_art(tmp_path, name, suffix, excerpt):
    source = with_cover(tmp_path / name)
    with av.open(source) as container:
        covers = [s for s in container.streams.video if s.disposition & Disposition.attached_pic]
        assert len(covers) == 1
    assert deliver(source, tmp_path / f"out.{suffix}", **excerpt)[1] == ("video", "mjpeg", "copied")
    with av.open(tmp_path / f"out.{suffix}") as container:
        assert [s for s in container.streams.video if s.disposition & Disposition.attached_pic]
    assert len(video_times(tmp_path / f"out.{suffix}")) == (14 if excerpt else 24)


def test_a_second_video_is_dropped_and_listed(tmp_path):
    other = write_clip(tmp_path / "b.mp4", pictures(24, 32, 32), options=INTRA)
    source = film(tmp_path / "a.mkv", template=other)
    assert [fate for *_, fate in deliver(source, tmp_path / "out.mp4")] == ["restored", "dropped"]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_timecode_is_carried_on(tmp_path, suffix):
    source = film(tmp_path / "a.mov", timecode="10:00:00:05")
    ledger = deliver(source, tmp_path / f"out.{suffix}")
    assert ledger[1:] == [("data", None, "converted")]
    with av.open(tmp_path / f"out.{suffix}") as container:
        tags = [{k.lower(): v for k, v in s.metadata.items()} for s in [container, *container.streams]]
    assert "10:00:00:05" in [tag.get("timecode") for tag in tags]


def samples(path):
    with av.open(path) as container:
        stream = container.streams.audio[0]
        parts = [frame.to_ndarray().reshape(-1).astype(np.int64) for frame in container.decode(stream)]
        return np.concatenate(parts), stream.codec_context.name


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "adpcm_ms", "pcm_mulaw", "pcm_u8"])
def test_old_sound_keeps_every_sample(tmp_path, codec, suffix):
    source = write_clip(tmp_path / "a.avi", pictures(), codec="mpeg4", sound=[Tone(codec)])
    target = tmp_path / f"out.{suffix}"
    fate = deliver(source, target)[1][2]
    (before, _), (after, there) = samples(source), samples(target)
    assert fate == ("copied" if there == codec else "converted")
    if codec == "pcm_u8" and there == "flac":
        before = (before - 128) * 256
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_converted_sound_is_in_step(tmp_path, suffix):
    source = write_clip(tmp_path / "a.avi", pictures(), codec="mpeg4", sound=[Tone("adpcm_ima_wav")])
    deliver(source, target := tmp_path / f"out.{suffix}")
    track = sound_packets(target)[0]
    assert abs(track[0][0] - video_times(target)[0]) <= Fraction(1, 1000)
    excerpt = tmp_path / f"part.{suffix}"
    deliver(source, excerpt, start=0.4, end=0.8)
    all_of_it, part = samples(source)[0], samples(excerpt)[0]
    first = round(sound_packets(excerpt)[0][0][0] * SAMPLE_RATE) + round(0.4 * SAMPLE_RATE)
    window = all_of_it[max(0, first - 96) : first + len(part) + 96]
    near = min(range(len(window) - len(part) + 1), key=lambda at: np.abs(window[at : at + 2000] - part[:2000]).sum())
    assert abs(near - 96) <= SAMPLE_RATE // 1000
    assert abs(len(part) / SAMPLE_RATE - 0.4) < 0.1


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("excerpt", [{}, {"start": 0.4, "end": 0.8}], ids=["whole", "excerpt"])
def test_sound_of_transport_streams(tmp_path, suffix, excerpt):
    source = write_clip(tmp_path / "a.ts", pictures(), sound=[Tone()])
    target = tmp_path / f"out.{suffix}"
    assert deliver(source, target, **excerpt)[1] == ("audio", "aac", "copied")
    before, after = sound_packets(source)[0], sound_packets(target)[0]
    picture = video_times(source)[0]
    if excerpt:
        begin, end = picture + Fraction(2, 5), picture + Fraction(4, 5)
        before = [(time, data) for time, data in before if begin <= time < end]
    assert [data[7:] for _, data in before] == [data for _, data in after], "less the ADTS header"
    origin = picture + Fraction(2, 5) if excerpt else picture
    lift = video_times(target)[0]
    assert max(abs((a - origin) - (b - lift)) for (a, _), (b, _) in zip(before, after, strict=True)) <= Fraction(
        1, 1000
    )
    assert len(samples(target)[0]) > 10000


def damage_sound(path, number):
    """Turn the inside of one packet of the first sound into noise."""
    content = bytearray(path.read_bytes())
    data = sound_packets(path)[0][number][1]
    begin = content.index(data[40:120])
    content[begin : begin + 80] = bytes(255 - value for value in content[begin : begin + 80])
    path.write_bytes(content)


def test_a_damaged_packet_of_converted_sound_costs_no_more_than_itself(tmp_path):
    tones = [Tone("wavpack", seconds=4), Tone("libmp3lame", 880, seconds=4)]
    source = write_clip(tmp_path / "a.mkv", pictures(), sound=tones)
    sound, whole = samples(source)[0], sound_packets(source)
    damage_sound(source, 1)
    assert [fate for *_, fate in deliver(source, tmp_path / "out.mp4")[1:]] == ["converted", "copied"]
    there = sound_packets(tmp_path / "out.mp4")
    assert [data for _, data in there[1]] == [data for _, data in whole[1]]
    begin, end = (round(when * SAMPLE_RATE) for when, _ in (whole[0][1], whole[0][2]))
    assert [when for when, _ in there[0] if begin < when * SAMPLE_RATE < end] == []
    left = np.concatenate([sound[:begin], sound[end:]])
    np.testing.assert_array_equal(samples(tmp_path / "out.mp4")[0], left)
    assert abs(max(when for when, _ in there[0]) - 4) < Fraction(1, 5), "what follows stays in step"


def test_what_ffmpeg_lists_and_refuses_is_converted(tmp_path, monkeypatch):
    # TrueHD, for which there is no encoder here, is such a codec.
    monkeypatch.setattr("restoration.media.passthrough.EXPERIMENTAL", {"mp4": {"ac3"}})
    source = write_clip(tmp_path / "a.mkv", pictures(), sound=[Tone("ac3")])
    assert ("audio", "ac3", "converted") in deliver(source, tmp_path / "out.mp4")
    assert ("audio", "ac3", "copied") in deliver(source, tmp_path / "out.mkv")
