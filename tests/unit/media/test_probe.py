"""Probing: exact times, cuts, excerpts, and what is said about files that are no use."""

import hashlib
import json
import re
from fractions import Fraction

import av
import numpy as np
import pytest

from media_factory import B_FRAMES, INTRA, LONG_GOP, Tone, decoded, pictures, wishes, write_clip
from restoration.errors import RestorationError
from restoration.frames import frame_hash
from restoration.media import source as source_module
from restoration.media.extract import extract
from restoration.media.probe import probe
from restoration.media.reading import Reading
from restoration.media.timeline import Timeline

VFR = [index * 3003 + index % 3 * 700 for index in range(24)]
NTSC_OFFSET = [index * 1001 + 48000 for index in range(24)]


@pytest.mark.parametrize("options", [INTRA, B_FRAMES, LONG_GOP], ids=["intra", "b-frames", "long"])
@pytest.mark.parametrize(
    ("suffix", "time_base", "pts"),
    [
        ("mp4", Fraction(1, 90000), VFR),
        ("mov", Fraction(1, 90000), VFR),
        ("mp4", Fraction(1, 24000), NTSC_OFFSET),
        ("mkv", Fraction(1, 1000), [pts // 90 for pts in VFR]),
    ],
)
def test_times_are_exact(tmp_path, suffix, time_base, pts, options):
    path = write_clip(tmp_path / f"a.{suffix}", pictures(), time_base=time_base, pts=pts, options=options)
    description, timeline = probe(path, wishes())
    assert [int(pts) * timeline.time_base for pts in timeline.pts] == [when * time_base for when in pts]
    assert timeline.table["duration"].tolist()[:-1] == np.diff(timeline.pts).tolist()
    assert timeline.table["duration"].iloc[-1] > 0
    assert (description["frames"], description["time_base"]) == (24, str(timeline.time_base))


def test_avi_counts_in_frames(tmp_path):
    path = write_clip(tmp_path / "a.avi", pictures(), codec="mpeg4", rate=Fraction(24000, 1001))
    _, timeline = probe(path, wishes())
    assert timeline.time_base == Fraction(1001, 24000)
    assert timeline.pts.tolist() == list(range(24))
    assert timeline.end == 24


def test_hashes_are_those_of_the_pictures(tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures())
    hashes = [frame_hash(picture) for picture in decoded(path)]
    assert probe(path, wishes())[1].table["hash"].tolist() == hashes


def test_description(tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(12), sound=[Tone(), Tone("libmp3lame")], rotation=90)
    description, _ = probe(path, wishes())
    json.dumps(description)
    assert description["source"] == {
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    assert [(stream["type"], stream["codec"]) for stream in description["streams"]] == [
        ("video", "h264"), ("audio", "aac"), ("audio", "mp3float")
    ]  # fmt: skip
    video = description["streams"][0]
    assert (video["width"], video["height"], description["size"]) == (64, 48, [48, 64])
    assert {"stream": 0, "matrix": "bt709", "full_range": False, "rotation": 90}.items() <= description[
        "reading"
    ].items()
    assert (description["damage"], description["time_jumps"], description["times_invented"]) == ([], [], 0)
    assert Reading(**json.loads(json.dumps(description))["reading"]) == Reading(**description["reading"])


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_cuts_are_found(tmp_path, gray, codec):
    path = write_clip(tmp_path / "a.mp4", pictures(60, shots=3, gray=gray), codec=codec)
    assert probe(path, wishes())[0]["shots"] == [(0, 19), (20, 39), (40, 59)]


def test_cuts_count_from_the_excerpt(tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(60, shots=3))
    description, timeline = probe(path, wishes(start=0.2, end=2.0))
    assert description["shots"] == timeline.shots() == [(0, 14), (15, 34), (35, 44)]


def test_flicker_is_no_cut(tmp_path):
    frames = pictures(48).astype(int)
    frames[::2] = frames[::2] * 7 // 10
    assert probe(write_clip(tmp_path / "a.mp4", frames.astype(np.uint8)), wishes())[0]["shots"] == [(0, 47)]


def test_duplicates(tmp_path):
    order = [0, 0, 1, 2, 1, 0]
    description, timeline = probe(
        write_clip(tmp_path / "a.mkv", pictures()[order], codec="ffv1", pix_fmt="bgr0"), wishes()
    )
    assert timeline.table["duplicate_of"].tolist() == [-1, 0, -1, -1, 2, 0]
    assert description["duplicates"] == 3


@pytest.mark.parametrize(
    ("start", "end", "first", "count"),
    [
        (None, None, 0, 24),
        (0.4, None, 10, 14),
        (0.4, 0.48, 10, 2),
        (0.41, 0.48, 11, 1),
        (0, 0.04, 0, 1),
        (0.399, 0.401, 10, 1),
        (None, 99, 0, 24),
        (0.92, 0.96, 23, 1),
    ],
)
@pytest.mark.parametrize("offset", [0, 50])
def test_excerpts_are_exact_to_the_frame(tmp_path, start, end, first, count, offset):
    path = write_clip(tmp_path / "a.mp4", pictures(), pts=range(offset, offset + 24), options=B_FRAMES)
    timeline = probe(path, wishes(start=start, end=end))[1]
    tick = int(Fraction(1, 25) / timeline.time_base)
    assert timeline.pts.tolist() == [(offset + first + index) * tick for index in range(count)]


@pytest.mark.parametrize("frame", range(24))
def test_an_excerpt_begins_at_the_frame_whose_time_is_given(tmp_path_factory, frame):
    folder = tmp_path_factory.getbasetemp() / "ntsc"
    path = folder / "a.mp4"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        write_clip(path, pictures(), time_base=Fraction(1, 24000), pts=NTSC_OFFSET, rate=Fraction(24000, 1001))
    begins = float(Fraction(1001 * frame, 24000))
    timeline = probe(path, wishes(start=begins, end=begins + 0.001))[1]
    assert timeline.pts.tolist() == [NTSC_OFFSET[frame]]


def test_the_last_frame_of_an_excerpt_lasts_until_the_next(tmp_path):
    path = write_clip(
        tmp_path / "a.mp4", pictures(4), time_base=Fraction(1, 90000), pts=[0, 9000, 9900, 18000], options=INTRA
    )
    assert probe(path, wishes(end=0.1))[1].end == 9000
    assert probe(path, wishes(end=0.105))[1].end == 9900


@pytest.mark.parametrize(("start", "end"), [(9.0, None), (0.41, 0.42)])
def test_an_empty_excerpt_says_so(tmp_path, start, end):
    path = write_clip(tmp_path / "a.mp4", pictures())
    with pytest.raises(RestorationError, match=r"a\.mp4: there is no frame between start and end"):
        probe(path, wishes(start=start, end=end))


def missing(path):
    pass


def empty(path):
    path.touch()


def text(path):
    path.write_text("This is no film.\n" * 50)


def directory(path):
    path.mkdir()


def dangling(path):
    path.symlink_to(path.with_name("nowhere"))


def sound_only(path):
    with av.open(path, "w") as container:
        track = container.add_stream("aac", rate=48000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        silence.sample_rate = 48000
        container.mux(track.encode(silence))
        container.mux(track.encode())


def unknown_codec(path):
    write_clip(path, pictures(3))
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))


def cut(path, share=0.6, **clip):
    """A clip of four seconds, with only the beginning of the file left."""
    write_clip(path, pictures(100), **{"options": B_FRAMES} | clip)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def cut_mp4(path):
    cut(path)


def cut_faststart(path):
    cut(path, container_options={"movflags": "+faststart"})


def cut_faststart_sound(path):
    cut(path, container_options={"movflags": "+faststart"}, sound=[Tone(seconds=4)])


def nearly_whole_faststart(path):
    cut(path, 0.97, container_options={"movflags": "+faststart"})


def cut_mkv(path):
    cut(path)


def cut_mkv_sound(path):
    cut(path, sound=[Tone(seconds=4)])


@pytest.mark.parametrize(
    ("make", "name", "says"),
    [
        (missing, "a.mp4", "no such file"),
        (empty, "a.mp4", "the file is empty"),
        (text, "a.mp4", "cannot be read as video: Invalid data"),
        (text, "a.txt", "this is a text file"),
        (directory, "a.mp4", "this is a folder"),
        (dangling, "a.mp4", "the link leads nowhere"),
        (sound_only, "a.m4a", "there is no video in this file"),
        (unknown_codec, "a.mp4", "no decoder is known for the video in this file"),
        (cut_mp4, "a.mp4", "cannot be read as video: Invalid data"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_useless_file_is_named_and_explained(tmp_path, make, name, says):
    path = tmp_path / name
    make(path)
    with pytest.raises(RestorationError, match=f"^{path}: .*{says}") as caught:
        probe(path, wishes())
    assert "Error" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "name", "says"),
    [
        (cut_faststart, "a.mp4", r"the file is truncated: it announces 100 frames and holds \d\d"),
        (cut_faststart_sound, "a.mp4", r"the file is truncated: it announces 100 frames and holds \d\d"),
        (nearly_whole_faststart, "a.mp4", r"the file is truncated: it announces 100 frames and holds 9\d"),
        (cut_mkv, "a.mkv", r"the file is truncated: it announces 4\.\d\d s and holds [12]\.\d\d s"),
        (cut_mkv_sound, "a.mkv", r"the file is truncated: it announces 4\.\d\d s and holds [12]\.\d\d s"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_truncated_file_gives_what_is_there(tmp_path, make, name, says, caplog):
    path = tmp_path / name
    make(path)
    with pytest.raises(RestorationError, match=f"^{path}: {says}.* with ingest.truncated: restore$"):
        probe(path, wishes())
    description, timeline = probe(path, wishes(truncated="restore"))
    assert 40 < description["frames"] == len(timeline.pts) < 100
    assert any(re.fullmatch(says, note) for note in description["damage"]), description["damage"]
    assert len(description["damage"]) <= 3
    assert "DAMAGED: the file is truncated" in caplog.text
    assert len(list(extract(path, description, timeline, 30, 39))) == 10
    with pytest.raises(RestorationError, match=f"^{path}: the file is damaged, and `strict` is set: .*{says}"):
        probe(path, wishes(truncated="restore", strict=True))


def test_whole_files_are_whole(tmp_path):
    # Sound that is longer or shorter than the picture, a late start: nothing of that is a truncation.
    for name, pts, sound in (
        ("a.mkv", None, [Tone(seconds=4)]),
        ("b.mp4", None, [Tone(seconds=4)]),
        ("c.mp4", range(50, 74), []),
        ("d.mkv", range(50, 74), [Tone(seconds=1)]),
    ):
        assert probe(write_clip(tmp_path / name, pictures(), pts=pts, sound=sound), wishes())[0]["frames"] == 24


def test_a_late_start_in_matroska_is_no_truncation(tmp_path):
    assert probe(write_clip(tmp_path / "a.mkv", pictures(), pts=range(50, 74)), wishes())[0]["frames"] == 24


def test_dropped_frames_in_avi_are_no_truncation(tmp_path):
    pts = [0, 1, 2, 5, 6, 7]
    path = write_clip(tmp_path / "a.avi", pictures(6), codec="mpeg4", pts=pts)
    description, timeline = probe(path, wishes())
    assert (timeline.pts.tolist(), description["damage"]) == (pts, [])


def test_an_avi_that_ends_early_is_truncated(tmp_path):
    path = tmp_path / "a.avi"
    cut(path, codec="mpeg4", options={"g": "1"})
    with pytest.raises(
        RestorationError, match=r"a\.avi: the file is truncated: it announces 100 frames and holds \d\d"
    ):
        probe(path, wishes())


def test_the_end_of_a_truncated_file_is_not_needed_for_an_excerpt(tmp_path):
    cut_faststart(tmp_path / "a.mp4")
    assert probe(tmp_path / "a.mp4", wishes(end=0.4))[0]["frames"] == 10


def test_names_that_look_like_protocols(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a %03d ü.mp4", pictures(3))
    assert probe(tmp_path / "a %03d ü.mp4", wishes())[0]["frames"] == 3


def test_relative_names_with_a_colon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", pictures(3)).rename("tape12:30.mp4")
    assert probe(type(tmp_path)("tape12:30.mp4"), wishes())[0]["frames"] == 3


def test_titles_in_another_encoding_do_not_matter(tmp_path):
    path = tmp_path / "a.avi"
    write_clip(path, pictures(3), codec="mpeg4", title="Kuechengeraeusch")
    path.write_bytes(path.read_bytes().replace(b"Kuechengeraeusch", "K\xfcchenger\xe4usch..".encode("latin-1")))
    assert probe(path, wishes())[0]["frames"] == 3


@pytest.mark.parametrize(("odd", "ticks"), [(512, "stuck"), (256, "backwards"), (None, "missing")])
def test_a_frame_without_a_time_of_its_own_gets_one(tmp_path, monkeypatch, caplog, odd, ticks):
    path = write_clip(tmp_path / "a.mp4", pictures(5), options=INTRA)
    frames = source_module.tolerant

    def wrong(*arguments):
        for index, frame in enumerate(frames(*arguments)):
            if index == 2:
                frame.pts = frame.dts = odd
            yield frame

    monkeypatch.setattr(source_module, "tolerant", wrong)
    monkeypatch.setattr("restoration.media.extract.tolerant", wrong)
    description, timeline = probe(path, wishes())
    assert timeline.pts[[0, 1, 3, 4]].tolist() == [0, 512, 1536, 2048], ticks
    assert 512 < timeline.pts[2] < 1536
    assert description["times_invented"] == 1
    assert "1 frames had no time of their own" in caplog.text
    assert len(list(extract(path, description, timeline, 1, 3))) == 3


def test_a_raw_stream_has_no_times(tmp_path):
    path = tmp_path / "a.h264"
    write_clip(path, pictures(5), options=INTRA)
    description, timeline = probe(path, wishes())
    assert (description["frames"], description["times_invented"]) == (5, 5)
    assert (np.diff(timeline.pts) * timeline.time_base == Fraction(1, 25)).all()
    assert len(list(extract(path, description, timeline, 2, 4))) == 3


def test_a_change_of_size_is_refused_by_name(tmp_path):
    with pytest.raises(RestorationError, match=r"a\.ts: the picture changes its size"):
        probe(changing_size(tmp_path), wishes())


def test_a_change_of_size_is_refused(tmp_path):
    with pytest.raises(RestorationError, match=r"the picture changes its size .*; split the file there"):
        probe(changing_size(tmp_path), wishes())


def changing_size(folder):
    path = write_clip(folder / "a.ts", pictures(10), options=INTRA)
    more = write_clip(folder / "b.ts", pictures(10, 96, 64), pts=range(10, 20), options=INTRA)
    path.write_bytes(path.read_bytes() + more.read_bytes())
    return path


def test_probing_twice_gives_the_same(tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(), sound=[Tone()])
    (first, one), (second, two) = probe(path, wishes()), probe(path, wishes())
    assert first == second
    one.write(tmp_path / "1.tsv")
    two.write(tmp_path / "2.tsv")
    assert (tmp_path / "1.tsv").read_bytes() == (tmp_path / "2.tsv").read_bytes()
    assert Timeline.read(tmp_path / "1.tsv").pts.tolist() == one.pts.tolist()
