"""The record of what was invented: every face with its time and decision, and a mask as long as the video."""

from fractions import Fraction

import av
import numpy as np
import pytest

from media_factory import video_times
from restoration.errors import RestorationError
from restoration.faces.record import record, write_mask
from restoration.media.chunks import write_chunk
from restoration.media.timeline import Timeline
from restoration.pipeline.plan import Span

COUNT = 10
START = 48000
PTS = [START + number * 3003 + number % 3 * 700 for number in range(COUNT)]
"""Of a video that begins late and whose frames last differently."""
BASE = Fraction(1, 90000)
NETWORKS = {"model": {"model": "GFPGANv1.4", "task": "restore_faces", "sha256": "ab" * 32}}
INVENTED = "invented by a network that has learned what faces look like"


@pytest.fixture
def timeline():
    return Timeline.build(BASE, PTS, 3003, [4], [str(number) for number in range(COUNT)])


def track(first, scores, shot=0):
    return {
        "shot": shot, "first": first, "boxes": [[1, 2, 3, 4]] * len(scores), "landmarks": [[[0, 0]] * 5] * len(scores),
        "scores": scores, "jitter": [0.5, 0.1],
    }  # fmt: skip


def verdict(share, similarity=0.8):
    return {"share": share, "similarity": similarity, "change": [0, 0, 0], "unrest": [2.5, 1.5], "edge": 60}


def test_a_record_of_nothing(timeline):
    found = record({"tracks": [], "verdicts": []}, [], NETWORKS, timeline)
    assert found == {"method": INVENTED, "networks": NETWORKS, "faces": [], "frames": []}


def test_sharpening_is_not_called_inventing(timeline):
    networks = {"model": {"model": "realesr-animevideov3-fp16", "task": "upscale", "sha256": "ab" * 32}}
    assert "knows nothing of faces" in record({"tracks": [], "verdicts": []}, [], networks, timeline)["method"]


def test_each_track_has_a_summary(timeline):
    tracks = [track(4, [0.9, None, None, 0.8], shot=1), track(0, [0.99])]
    distances = {4: 0.3, 5: 0.1, 6: None, 7: 0.2}
    entries = [{"frame": number, "face": 0, "identity_distance": found} for number, found in distances.items()]
    entries.append({"frame": 0, "face": 1, "identity_distance": None})
    found = record({"tracks": tracks, "verdicts": [verdict(1.0), verdict(0.0, 0.2)]}, entries, NETWORKS, timeline)
    assert found["faces"] == [
        {
            "face": 0, "shot": 1, "first": 4, "last": 7, "detected": 2, "decision": "restored", "similarity": 0.8,
            "identity_distance": 0.2, "landmark_jitter": {"found": 0.5, "calmed": 0.1},
            "unrest": {"source": 2.5, "restored": 1.5},
        },
        {
            "face": 1, "shot": 0, "first": 0, "last": 0, "detected": 1,
            "decision": "left alone: too unlike the source", "similarity": 0.2, "identity_distance": None,
            "landmark_jitter": {"found": 0.5, "calmed": 0.1}, "unrest": {"source": 2.5, "restored": 1.5},
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("share", "decision"),
    [(0, "left alone: too unlike the source"), (0.3, "softened to 30%"), (0.305, "softened to 30%"), (1, "restored")],
)
def test_decisions_are_in_words(timeline, share, decision):
    found = record({"tracks": [track(0, [0.9])], "verdicts": [verdict(share)]}, [], NETWORKS, timeline)
    assert found["faces"][0]["decision"] == decision


def test_each_entry_has_the_time_at_which_the_result_shows_it(timeline):
    """The result begins at 0, whenever the source does."""
    entries = [
        {"frame": number, "face": face, "identity_distance": None} for number, face in [(0, 0), (0, 1), (4, 0), (9, 0)]
    ]
    found = record({"tracks": [], "verdicts": []}, entries, NETWORKS, timeline)
    assert found["frames"] == [
        {"time": round(float((PTS[entry["frame"]] - START) * BASE), 6)} | entry for entry in entries
    ]


def masks(width, height, count=COUNT):
    """Different in each frame, and untouched in some."""
    rng = np.random.default_rng(3)
    for number in range(count):
        gray = rng.integers(0, 256, (height, width), dtype=np.uint8) * (number % 4 > 0)
        yield np.repeat(gray[..., None], 3, axis=-1)


def chunks(folder, pictures, lengths):
    first, paths, pictures = 0, [], list(pictures)
    for length in lengths:
        span = Span(first, first + length - 1)
        paths.append(folder / f"{span}.invented.mkv")
        write_chunk(paths[-1], pictures[first : first + length], expected=length)
        first += length
    return paths


def read(path):
    with av.open(path) as container:
        (stream,) = container.streams
        frames = list(container.decode(stream))
        assert stream.codec_context.name == "ffv1"
        assert {(frame.format.name, frame.key_frame) for frame in frames} == {("gray", True)}
        return np.stack([frame.to_ndarray() for frame in frames])


@pytest.mark.parametrize("trimmed", [False, True])
@pytest.mark.parametrize(("width", "height"), [(96, 80), (33, 17)])
def test_the_mask_is_a_gray_video_with_the_timelines_times(tmp_path, timeline, width, height, trimmed):
    target = tmp_path / "out" / "x.faces.mkv"
    write_mask(target, chunks(tmp_path, masks(width, height), [4, 1, 5]), timeline, trimmed=trimmed)
    np.testing.assert_array_equal(read(target), np.stack(list(masks(width, height)))[..., 0])
    due = [(pts - START * trimmed) * BASE for pts in PTS]
    # Matroska counts milliseconds.
    apart = [abs(time - exact) for time, exact in zip(video_times(target), due, strict=True)]
    assert max(apart) <= Fraction(1, 2000)
    assert [path.name for path in target.parent.iterdir()] == ["x.faces.mkv"]


def test_chunks_do_not_matter_to_the_mask(tmp_path, timeline):
    written = []
    for name, lengths in {"a": [10], "b": [1] * 10}.items():
        (tmp_path / name).mkdir()
        write_mask(tmp_path / f"{name}.mkv", chunks(tmp_path / name, masks(64, 64), lengths), timeline, trimmed=False)
        written.append(read(tmp_path / f"{name}.mkv"))
    np.testing.assert_array_equal(*written)


@pytest.mark.parametrize("lengths", [[4, 5], [4, 7]])
def test_all_masks_or_no_file(tmp_path, timeline, lengths):
    target = tmp_path / "out" / "x.faces.mkv"
    with pytest.raises(RestorationError, match=f"10 frames were due and {sum(lengths)} came"):
        write_mask(target, chunks(tmp_path, masks(64, 48, 11), lengths), timeline, trimmed=False)
    assert list(target.parent.iterdir()) == []


def test_a_single_frame(tmp_path):
    timeline = Timeline.build(BASE, [START], 3003, [], ["a"])
    write_mask(tmp_path / "x.mkv", chunks(tmp_path, masks(64, 48, 1), [1]), timeline, trimmed=True)
    assert video_times(tmp_path / "x.mkv") == [0] and read(tmp_path / "x.mkv").shape == (1, 48, 64)
