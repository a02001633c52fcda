"""Faces restored and pasted back: where they are and nowhere else, as much as told, and all of it on record."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from restoration.errors import RestorationError
from restoration.faces.align import TEMPLATE, aligned, alignment
from restoration.faces.judge import Verdict
from restoration.faces.paste import mean_colour, soft_mask
from restoration.faces.tracks import Track
from restoration.frames import enriched, plain
from restoration.media.chunks import hashes_path, read_chunk, write_chunk
from restoration.stages.faces import Faces, write_faces

WIDTH, HEIGHT = 240, 160
BLUE = np.full((512, 512, 3), (20, 60, 200), np.uint8)
FACE = aligned(
    astronaut(), alignment(np.array([[205, 102], [247, 104], [225, 129], [202, 139], [245, 142]], np.float32))
)


def track(first, last, x=120.0, y=80.0, edge=60.0, *, step=0.0, scores=0.99):
    """A face that moves by *step* to the right in each frame; its crop is *edge* pixels wide."""
    count = last - first + 1
    marks = [((TEMPLATE - 256) * edge / 512 + [x + step * n, y]).tolist() for n in range(count)]
    boxes = [[x + step * n - edge / 3, y - edge / 3, x + step * n + edge / 3, y + edge / 3] for n in range(count)]
    return Track(0, first, boxes, marks, scores if isinstance(scores, list) else [scores] * count, (0.0, 0.0))


def verdict(share=1.0, change=(0.0, 0.0, 0.0), edge=60):
    return Verdict(0.9, share, list(change), (0.0, 0.0), edge)


def sources(count=8, scale=1, seed=1):
    """Numbers, frames before upscaling and frames after it: no two alike."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (count, HEIGHT, WIDTH, 3), dtype=np.uint8)
    larger = rng.integers(0, 256, (count, HEIGHT * scale, WIDTH * scale, 3), dtype=np.uint8)
    return list(zip(range(count), frames, larger if scale > 1 else frames.copy(), strict=True))


class Restorer:
    """A network whose face is always *result*, or the crop itself; it notes what it was asked for."""

    def __init__(self, result=BLUE):
        self.result, self.asked, self.edges = result, [], []

    def restored(self, faces):
        self.asked.append([face.number for face in faces])
        self.edges += [face.edge for face in faces]
        return [face.crop if self.result is None else self.result for face in faces]


class Parser:
    """A network that takes the same part of every face for one."""

    def __init__(self, mask):
        self.mask, self.seen = mask, []

    def masks(self, faces):
        self.seen.append(faces)
        return [self.mask] * len(faces)


def stage(tracks, verdicts=None, restorer=None, parser=None, *, strength=1.0, batch=4):
    verdicts = [verdict()] * len(tracks) if verdicts is None else verdicts
    return Faces(tracks, verdicts, restorer or Restorer(), parser, strength=strength, batch=batch)


def agree(shown, frames):
    """What the mask calls untouched is so, bit for bit."""
    for one, (_, _, frame) in zip(shown, frames, strict=True):
        assert (one.invented.shape, one.invented.dtype) == (frame.shape[:2], np.uint8)
        np.testing.assert_array_equal(one.frame[one.invented == 0], frame[one.invented == 0])


def test_frames_without_faces_pass_untouched():
    frames = sources()
    shown = list(Faces([], [], None, None, strength=1, batch=3).shown(frames))
    assert all(one.frame is frame for one, (_, _, frame) in zip(shown, frames, strict=True))
    assert not any(one.invented.any() or one.entries for one in shown)
    agree(shown, frames)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_face_that_is_in_some_frames_only(batch):
    frames, restorer = sources(), Restorer()
    before = [frame.copy() for _, _, frame in frames]
    shown = list(stage([track(2, 4)], restorer=restorer, batch=batch).shown(frames))
    agree(shown, frames)
    for number, (one, (_, _, frame)) in enumerate(zip(shown, frames, strict=True)):
        assert (one.frame is frame) == (number not in (2, 3, 4))
        assert one.invented.any() == bool(one.entries) == (number in (2, 3, 4))
        np.testing.assert_array_equal(frame, before[number])
    assert [number for asked in restorer.asked for number in asked] == [2, 3, 4]
    assert all(0 < len(asked) <= batch for asked in restorer.asked)
    # In the middle it is the network's face alone.
    assert (shown[3].invented[75:90, 110:130] == 255).all()
    assert np.abs(shown[3].frame[75:90, 110:130].astype(int) - BLUE[0, 0]).max() <= 2


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_the_batch_does_not_matter(batch):
    tracks = [track(0, 5), track(3, 9, 60, 60), track(5, 5, 200, 100, 90)]
    verdicts = [verdict(), verdict(0.5), verdict(change=(9, 2, -3))]
    frames = sources(10)
    found, expected = (
        list(stage(tracks, verdicts, Restorer(FACE), batch=each).shown(frames)) for each in (batch, 1000)
    )  # fmt: skip
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.frame, other.frame)
        np.testing.assert_array_equal(one.invented, other.invented)
        assert one.entries == other.entries


def test_frames_are_numbered_as_in_the_video():
    """Chunks begin anywhere."""
    frames = [(number + 1200, source, frame) for number, source, frame in sources()]
    restorer = Restorer()
    shown = list(stage([track(1203, 1204)], restorer=restorer).shown(frames))
    assert [number for number, one in enumerate(shown, 1200) if one.invented.any()] == [1203, 1204]
    assert restorer.asked == [[1203], [1204]]
    assert [entry["frame"] for one in shown for entry in one.entries] == [1203, 1204]


def test_a_face_is_pasted_where_it_is_in_each_frame():
    shown = list(stage([track(1, 5, 80, step=9.5)]).shown(sources(6)))
    middles = [np.average(np.arange(WIDTH), weights=one.invented.sum(axis=0)) for one in shown[1:]]
    np.testing.assert_allclose(middles, 80 + 9.5 * np.arange(5), atol=0.5)


def test_ten_faces_in_a_frame():
    places = [(24 + 48 * column, 40 + 80 * row) for row in range(2) for column in range(5)]
    tracks, restorer = [track(0, 1, x, y, 45) for x, y in places], Restorer()
    frames = sources(2)
    shown = list(stage(tracks, restorer=restorer, batch=4).shown(frames))
    agree(shown, frames)
    # No more at once than told, however many there are, and those of a frame by themselves.
    assert [len(asked) for asked in restorer.asked] == [4, 4, 2, 4, 4, 2]
    for one in shown:
        assert [entry["face"] for entry in one.entries] == list(range(10))
        assert all(one.invented[y, x] == 255 for x, y in places)
        assert all(np.abs(one.frame[y, x].astype(int) - BLUE[0, 0]).max() <= 2 for x, y in places)
        # Ten faces, and what is between them.
        assert cv2.connectedComponents((one.invented > 128).astype(np.uint8))[0] == 11


@pytest.mark.parametrize(
    ("x", "y"), [(0, 80), (WIDTH - 1, 80), (120, 0), (120, HEIGHT - 1), (0, 0), (-20, HEIGHT + 15)]
)
def test_faces_cut_by_the_border(x, y):
    frames = sources(2, scale=2)
    shown = list(stage([track(0, 1, x, y, 100)]).shown(frames))
    agree(shown, frames)
    assert all(one.invented.max() == 255 and one.invented.mean() < 80 for one in shown)
    assert all(len(one.entries) == 1 for one in shown)


def test_a_face_beyond_the_border_changes_nothing():
    frames = sources(2)
    shown = list(stage([track(0, 1, -200, 80)]).shown(frames))
    assert not any(one.invented.any() for one in shown)
    for one, (_, _, frame) in zip(shown, frames, strict=True):
        np.testing.assert_array_equal(one.frame, frame)


def test_faces_are_seen_before_and_pasted_after_upscaling():
    frames, marks = sources(1, scale=3), track(0, 0, 100, 70)
    (one,) = stage([marks], restorer=Restorer(None)).shown(frames)
    agree([one], frames)
    rows, columns = np.nonzero(one.invented > 128)
    assert rows.mean() / 3 == pytest.approx(70 + 10 * 60 / 512, abs=0.5)
    assert columns.mean() / 3 == pytest.approx(100, abs=0.5)
    # It is the face of the source: the frame has nothing to do with it.
    source = cv2.resize(frames[0][1], None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR)
    inside = one.invented == 255
    alike = [np.corrcoef(one.frame[inside].ravel(), other[inside].ravel())[0, 1] for other in (source, frames[0][2])]
    assert alike[0] > 0.9 and abs(alike[1]) < 0.2


def test_a_network_that_changes_nothing_changes_little():
    smooth = cv2.GaussianBlur(astronaut()[40:200, 100:340], (0, 0), 2)
    marks = track(0, 0, 225 - 100, 120 - 40, 150)
    (one,) = stage([marks], [verdict(edge=150)], Restorer(None)).shown([(0, smooth, smooth)])
    agree([one], [(0, smooth, smooth)])
    assert one.invented.max() == 255
    # Y, U and V in whole numbers are one or two of R, G and B.
    assert np.abs(one.frame.astype(int) - smooth).max() <= 8 and np.abs(one.frame.astype(int) - smooth).mean() < 1
    assert one.entries[0]["similarity"] == 1


def test_strength_and_share_are_multiplied():
    frames = sources(1)
    (whole,) = stage([track(0, 0)]).shown(frames)
    (one,) = stage([track(0, 0)], [verdict(0.5)], strength=0.8).shown(frames)
    assert one.entries[0]["strength"] == 0.4 and whole.entries[0]["strength"] == 1
    assert np.abs(one.invented - 0.4 * whole.invented).max() <= 1
    expected = frames[0][2] + 0.4 * (whole.frame.astype(float) - frames[0][2])
    assert np.abs(one.frame - expected).max() <= 1


def test_faces_that_are_refused_are_not_even_restored():
    frames, restorer = sources(2), Restorer()
    tracks = [track(0, 1), track(0, 1, 60, 60)]
    shown = list(stage(tracks, [verdict(0.0), verdict()], restorer).shown(frames))
    assert restorer.asked == [[0], [1]]
    agree(shown, frames)
    for one in shown:
        assert not one.invented[50:, 100:].any()
        assert [(entry["face"], entry["similarity"] is None, entry["strength"]) for entry in one.entries] == [
            (0, True, 0), (1, False, 1),
        ]  # fmt: skip
    alone = list(Faces(tracks[:1], [verdict(0.0)], None, None, strength=1, batch=2).shown(frames))
    assert all(one.frame is frame for one, (_, _, frame) in zip(alone, frames, strict=True))


def test_without_strength_nothing_changes():
    frames = sources(2)
    shown = list(stage([track(0, 1)], strength=0).shown(frames))
    for one, (_, _, frame) in zip(shown, frames, strict=True):
        np.testing.assert_array_equal(one.frame, frame)
        assert not one.invented.any() and one.entries[0]["strength"] == 0


def test_faces_get_the_colour_of_their_track():
    frames = sources(1)
    (plain,) = stage([track(0, 0)]).shown(frames)
    (changed,) = stage([track(0, 0)], [verdict(change=(30, -10, 5))]).shown(frames)
    inside = np.s_[70:90, 110:130]
    colours = [mean_colour(one.frame[inside], np.ones((20, 20), np.float32)) for one in (plain, changed)]
    np.testing.assert_allclose(colours[1] - colours[0], [30, -10, 5], atol=1)


def test_likeness_is_that_of_what_the_network_made():
    """Before its colour is brought back, as in the verdict."""
    smooth = cv2.GaussianBlur(sources(1)[0][1], (0, 0), 3)
    found = [
        next(iter(stage([track(0, 0)], [verdict(change=change)], Restorer(FACE)).shown([(0, smooth, smooth)]))).entries
        for change in ((0, 0, 0), (150, 0, 0))
    ]
    assert found[0] == found[1] and abs(found[0][0]["similarity"]) < 0.9


def test_faces_are_seen_as_large_as_their_track_has_them():
    """One size for the whole track, or a network of super-resolution would flicker."""
    restorer = Restorer()
    list(stage([track(0, 2), track(1, 1, 60, 60)], [verdict(edge=44), verdict(edge=16)], restorer).shown(sources(3)))
    assert restorer.edges == [44, 44, 16, 44]


def test_where_faces_meet_both_are_recorded():
    frames, tracks = sources(1), [track(0, 0, 110), track(0, 0, 140)]
    together, *alone = (
        next(iter(stage(some, strength=0.5).shown(frames))) for some in (tracks, tracks[:1], tracks[1:])
    )
    agree([together], frames)
    one, other = (each.invented / 255 for each in alone)
    assert (np.minimum(one, other) > 0.1).any()
    np.testing.assert_allclose(together.invented / 255, 1 - (1 - one) * (1 - other), atol=0.006)


def test_a_face_that_collapses_in_one_frame_is_left_alone_there():
    class Collapsing(Restorer):
        def restored(self, faces):
            return [BLUE if face.number == 1 else face.crop for face in faces]

    frames = sources(3)
    careful = Faces([track(0, 2)], [verdict()], Collapsing(), None, strength=1, refuse_below=0.5, batch=2)
    shown = list(careful.shown(frames))
    assert [one.entries[0]["strength"] for one in shown] == [1, 0, 1]
    np.testing.assert_array_equal(shown[1].frame, frames[1][2])
    assert not shown[1].invented.any()


def test_a_face_that_comes_and_goes_within_its_shot_does_not_pop():
    tracks = [track(0, 11), track(0, 11, 60, 60)]
    tracks[0] = replace(tracks[0], fades=(True, True))
    shown = list(stage(tracks).shown(sources(12)))
    strengths = [[entry["strength"] for entry in one.entries] for one in shown]
    assert [second for _, second in strengths] == [1] * 12
    first = [first for first, _ in strengths]
    np.testing.assert_allclose(first[:6], np.arange(1, 7) / 6, atol=1e-4)
    assert first == first[::-1]
    np.testing.assert_allclose([shown[n].invented[80, 120] for n in (0, 2, 5)], [42.5, 127.5, 255], atol=1)


def test_a_parser_tells_what_is_taken():
    half = soft_mask()
    half[:, :256] = 0
    frames, parser = sources(3), Parser(half)
    shown = list(stage([track(0, 2)], parser=parser, batch=2).shown(frames))
    agree(shown, frames)
    for one in shown:
        assert one.invented[:, 125:].max() == 255 and not one.invented[:, :118].any()
    # It looks at the restored faces, as many at once as the other network.
    assert [seen.shape for seen in parser.seen] == [(1, 512, 512, 3)] * 3
    assert all((seen == BLUE).all() for seen in parser.seen)


def test_a_parser_that_finds_no_face_leaves_the_frame_as_it_is():
    frames = sources(1)
    (one,) = stage([track(0, 0)], parser=Parser(np.zeros((512, 512), np.float32))).shown(frames)
    np.testing.assert_array_equal(one.frame, frames[0][2])
    assert not one.invented.any() and one.entries[0]["similarity"] == 1


def test_entries_tell_everything_about_a_face():
    marks = track(2, 4, 100, 70, 60, step=3, scores=[0.98, None, 0.99])
    shown = list(stage([track(0, 0), marks]).shown(sources(4)))
    assert shown[1].entries == []
    (entry,) = shown[3].entries
    similarity = entry.pop("similarity")
    assert entry == {
        "frame": 3, "face": 1, "box": [83, 50, 123, 90], "landmarks": marks.landmarks[1], "score": None, "size": 40,
        "strength": 1, "identity_distance": None,
    }  # fmt: skip
    assert shown[2].entries[0]["score"] == 0.98
    # A face of one colour, where there was a picture.
    assert similarity == 0


@pytest.fixture
def paths(tmp_path):
    return tmp_path / "0000000-0000005.mkv", tmp_path / "0000000-0000005.invented.mkv"


@pytest.mark.parametrize("scale", [1, 2])
def test_frames_masks_and_entries_are_written(paths, scale):
    frames, tracks = sources(6, scale), [track(1, 3), track(2, 5, 60, 60)]
    expected = list(stage(tracks).shown(frames))
    entries = write_faces(*paths, stage(tracks).shown(frames), expected=6)
    assert entries == [entry for one in expected for entry in one.entries]
    assert [(entry["frame"], entry["face"]) for entry in entries] == [
        (1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (4, 1), (5, 1),
    ]  # fmt: skip
    np.testing.assert_array_equal(list(read_chunk(paths[0])), [one.frame for one in expected])
    masks = np.stack(list(read_chunk(paths[1])))
    np.testing.assert_array_equal(masks, np.stack([one.invented for one in expected])[..., None].repeat(3, axis=-1))


def test_a_chunk_without_faces_is_what_it_was(paths):
    frames = sources(6)
    before = paths[0].with_name("before.mkv")
    write_chunk(before, [frame for _, _, frame in frames], expected=6)
    assert write_faces(*paths, Faces([], [], None, None, strength=1, batch=4).shown(frames), expected=6) == []
    assert hashes_path(paths[0]).read_text() == hashes_path(before).read_text()
    assert not np.stack(list(read_chunk(paths[1]))).any()


def test_a_picture_that_is_more_than_a_frame_stays_so():
    deep = np.random.default_rng(3).integers(0, 65536, (2, HEIGHT, WIDTH, 4)).astype(np.uint16)
    frames = [(number, plain(picture), picture) for number, picture in enumerate(deep)]
    shown = list(stage([track(1, 1)]).shown(frames))
    np.testing.assert_array_equal(shown[0].frame, deep[0])
    restored = list(stage([track(1, 1)]).shown([(number, frame, frame) for number, frame, _ in frames]))
    np.testing.assert_array_equal(shown[1].frame, enriched(restored[1].frame, deep[1]))
    agree(shown, frames)


@pytest.mark.parametrize("expected", [5, 7])
def test_another_number_of_frames_is_refused(paths, expected):
    with pytest.raises(RestorationError, match=f"{expected} frames were due, 6 came"):
        write_faces(*paths, stage([track(0, 5)]).shown(sources(6)), expected=expected)
    assert list(paths[0].parent.iterdir()) == []


def test_an_error_of_the_network_is_raised_and_nothing_is_left(paths):
    class Broken(Restorer):
        def restored(self, faces):
            if faces[0].number >= 3:
                raise RestorationError("frame 3: not a number")
            return super().restored(faces)

    with pytest.raises(RestorationError, match="frame 3: not a number"):
        write_faces(*paths, stage([track(0, 5)], restorer=Broken(), batch=1).shown(sources(6)), expected=6)
    assert list(paths[0].parent.iterdir()) == []
