"""Tracks judged on networks that are known: how like, in which colours, how calm, and the same whatever the chunks."""

import shutil

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from restoration.faces.align import TEMPLATE, aligned, alignment
from restoration.faces.judge import PAIRS, judged, sampled, similarity
from restoration.faces.paste import mean_colour, recoloured, soft_mask
from restoration.faces.restore import AlignedFace
from restoration.faces.tracks import Track
from restoration.media.chunks import write_chunk
from restoration.pipeline.plan import Span
from restoration.stages.reel import Reel

MASK = soft_mask()
LANDMARKS = np.array([[205, 102], [247, 104], [225, 129], [202, 139], [245, 142]], np.float32)
"""Of the astronaut; looked at."""
FACE = aligned(astronaut(), alignment(LANDMARKS))
COUNT = 7


def noise(seed=1):
    """Blobs that are larger than a pixel of the source."""
    blobs = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    return cv2.resize(blobs, (512, 512), interpolation=cv2.INTER_LINEAR)


def track(first, last, x=60.0, y=60.0, edge=100.0, step=1.0):
    """A face whose crop is *edge* pixels wide, *step* further to the right in each frame."""
    marks = [((TEMPLATE - 256) * edge / 512 + [x + step * n, y]).tolist() for n in range(last - first + 1)]
    box = [x - edge / 3, y - edge / 3, x + edge / 3, y + edge / 3]
    return Track(0, first, [box] * len(marks), marks, [0.99] * len(marks), (0.1, 0.0))


def video(count=COUNT, shake=0.0):
    """The astronaut's face, at whose crops `track` looks with x = 60, and beside it a mirrored one, at x = 166."""
    face = cv2.resize(FACE, (100, 100), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(4)
    for number in range(count):
        frame = np.full((120, 240, 3), 90, np.uint8)
        frame[10:110, 10 + number : 110 + number] = face
        frame[10:110, 116 + number : 216 + number] = face[:, ::-1]
        yield np.clip(frame + rng.normal(0, shake, frame.shape), 0, 255).astype(np.uint8)


def reel(folder, frames, length=100):
    frames = list(frames)
    folder.mkdir(exist_ok=True)
    for first in range(0, len(frames), length):
        span = Span(first, min(first + length, len(frames)) - 1)
        write_chunk(folder / f"{span}.mkv", frames[first : span.last + 1], expected=len(span))
    return Reel(list(folder.glob("*.mkv")))


class Restorer:
    """A network that does what *change* does to the crop; it notes which frames it saw."""

    def __init__(self, change=lambda crop: crop):
        self.change, self.seen = change, []

    def restored(self, faces):
        self.seen += [face.number for face in faces]
        return [self.change(face.crop) for face in faces]


def mixed(share):
    return lambda crop: cv2.addWeighted(crop, 1 - share, noise(), share, 0)


def like(restored, edge=512, crop=FACE):
    return similarity(AlignedFace(0, crop, edge), restored, MASK)


def test_the_same_picture_is_alike_whatever_its_light_and_contrast():
    assert like(FACE) == pytest.approx(1)
    assert like(FACE, 60) == pytest.approx(1)
    assert like(FACE // 2 + 40) > 0.999


def test_other_pictures_are_not():
    assert abs(like(noise())) < 0.2
    assert like(255 - FACE) == pytest.approx(-1, abs=0.01)
    assert like(FACE[::-1]) < 0.4
    alikes = [like(mixed(share)(FACE)) for share in (0, 0.2, 0.5, 0.8, 1)]
    assert alikes == sorted(alikes, reverse=True) and alikes[0] > alikes[-1] + 0.8


def test_only_what_the_source_can_show_is_compared():
    """Detail below the pixels of the source is what the network is for."""
    detailed = np.clip(FACE + np.random.default_rng(1).normal(0, 60, FACE.shape), 0, 255).astype(np.uint8)
    assert like(detailed, 40) > 0.98 > 0.9 > like(detailed, 512)


def test_only_what_is_within_the_mask_is_compared():
    around = np.where(MASK[..., None] > 0, FACE, noise())
    assert like(around) == pytest.approx(1)
    inside = np.where(MASK[..., None] > 0, noise(), FACE)
    assert like(inside) == like(noise())


def test_where_there_is_nothing_to_see_nothing_is_unlike():
    flat = np.full_like(FACE, 77)
    assert like(flat, crop=flat) == 1 and like(noise(), crop=flat) == 1
    assert similarity(AlignedFace(0, FACE, 100), FACE, np.zeros_like(MASK)) == 1


def test_a_face_that_was_wiped_out_is_unlike():
    assert like(np.full_like(FACE, 77)) == 0


def test_tracks_are_judged_by_pairs_of_neighbours_all_along():
    numbers = sampled(track(100, 1099))
    assert len(numbers) == 2 * PAIRS and (numbers[0], numbers[-1]) == (100, 1099)
    starts, nexts = np.array(numbers[::2]), np.array(numbers[1::2])
    assert (nexts == starts + 1).all() and np.ptp(np.diff(starts)) <= 1


@pytest.mark.parametrize(("last", "numbers"), [(7, [7]), (8, [7, 8]), (10, [7, 8, 9, 10])])
def test_short_tracks_are_judged_by_all_they_have(last, numbers):
    assert sampled(track(7, last)) == numbers


def test_a_network_that_changes_nothing(tmp_path):
    (verdict,) = judged([track(0, COUNT - 1)], reel(tmp_path, video()), Restorer(), MASK, 0.5)
    assert verdict.similarity == 1 and verdict.share == 1 and verdict.edge == 100
    assert verdict.change == [0, 0, 0] and verdict.unrest[0] == verdict.unrest[1] < 1


def test_what_is_unlike_gets_nothing_and_what_is_nearly_so_gets_less(tmp_path):
    frames, tracks = reel(tmp_path, video()), [track(0, COUNT - 1)]
    found = judged(tracks, frames, Restorer(mixed(0.5)), MASK, 0)[0].similarity
    assert 0.3 < found < 0.95

    def share(refuse_below):
        return judged(tracks, frames, Restorer(mixed(0.5)), MASK, refuse_below)[0].share

    assert share(found + 0.01) == 0 and share(1) == 0
    assert share(found - 0.03) == pytest.approx(0.3, abs=0.002)
    assert share(found - 0.11) == share(0) == 1


def test_the_verdict_is_the_medians_and_one_bad_face_tells_nothing(tmp_path):
    restorer = Restorer()
    restorer.change = lambda crop: noise() if len(restorer.seen) in (2, 5, 6) else crop
    (verdict,) = judged([track(0, COUNT - 1)], reel(tmp_path, video()), restorer, MASK, 0.5)
    assert len(restorer.seen) == COUNT and verdict.similarity == 1


def test_the_change_of_colour_brings_back_the_sources(tmp_path):
    def warmer(crop):
        return np.clip(crop * 0.8 + [40, 10, 0], 0, 255).astype(np.uint8)

    (verdict,) = judged([track(0, COUNT - 1)], reel(tmp_path, video()), Restorer(warmer), MASK, 0.5)
    before, after = mean_colour(FACE, MASK), mean_colour(warmer(FACE), MASK)
    assert np.abs(before - after).max() > 8
    calm = mean_colour(recoloured(warmer(FACE), np.array(verdict.change)), MASK)
    np.testing.assert_allclose(calm, before, atol=1)
    # One for the whole track: what is not the same in each frame would flicker.
    np.testing.assert_allclose(verdict.change, before - after, atol=0.5)


def test_unrest_tells_of_flicker(tmp_path):
    restorer = Restorer()
    restorer.change = lambda crop: np.clip(crop.astype(int) + 10 * (restorer.seen[-1] % 2), 0, 255).astype(np.uint8)
    (verdict,) = judged([track(0, COUNT - 1)], reel(tmp_path, video()), restorer, MASK, 0.5)
    assert verdict.unrest[0] < 0.5
    assert verdict.unrest[1] == pytest.approx(10, abs=0.7)
    # The change of colour is the mean over the track: 3 of 7 frames are lighter.
    assert verdict.change == pytest.approx([-10 * 3 / 7, 0, 0], abs=0.3)
    # Within the mask only.
    (lone,) = judged([track(3, 3)], reel(tmp_path, video()), restorer, MASK, 0.5)
    assert lone.unrest == (0, 0)
    around = Restorer()
    around.change = lambda crop: np.where(MASK[..., None] > 0, FACE, noise(around.seen[-1]))
    assert judged([track(0, COUNT - 1)], reel(tmp_path, video()), around, MASK, 0.5)[0].unrest[1] == 0


def test_unrest_is_that_of_neighbours(tmp_path):
    """The light that changes from one pair to another, slowly, is no unrest."""
    still = [np.full((40, 40, 3), 90, np.uint8)] * 60
    restorer = Restorer()
    restorer.change = lambda crop: np.full_like(crop, 3 * restorer.seen[-1])
    (verdict,) = judged([track(0, 59, x=20, y=20, edge=30, step=0)], reel(tmp_path, still), restorer, MASK, 0.5)
    assert verdict.unrest == (0, 3) and len(restorer.seen) == 2 * PAIRS


@pytest.mark.parametrize("length", [1, 3])
def test_chunks_do_not_matter(tmp_path, length):
    """Not for the change of colour, and not for anything else."""
    tracks = [track(0, COUNT - 1), track(1, 5, x=167), track(4, 4, edge=60)]

    def verdicts(length):
        return judged(tracks, reel(tmp_path / str(length), video(shake=6), length), Restorer(mixed(0.4)), MASK, 0.6)

    found = verdicts(length)
    assert found == verdicts(100)
    assert [verdict.edge for verdict in found] == [100, 100, 60]
    assert len({tuple(verdict.change) for verdict in found}) == 3


def test_each_track_is_judged_on_its_own_faces(tmp_path):
    one, other = track(0, 3), track(2, 5, x=169)
    source = reel(tmp_path, video())
    restorer = Restorer(lambda crop: FACE)
    both = judged([one, other], source, restorer, MASK, 0.5)
    assert sorted(restorer.seen) == [0, 1, 2, 2, 3, 3, 4, 5]
    assert both == [judged([each], source, restorer, MASK, 0.5)[0] for each in (one, other)]
    assert both[0].similarity > 0.97 > both[1].similarity + 0.1
    assert judged([other, one], source, restorer, MASK, 0.5) == both[::-1]


def test_chunks_without_samples_are_not_read(tmp_path):
    source = reel(tmp_path, video(9), 3)
    for _, chunk in (source.chunks[0], source.chunks[2]):
        chunk.unlink()
    (verdict,) = judged([track(3, 5)], source, Restorer(), MASK, 0.5)
    assert verdict.similarity == 1


def test_no_track_no_verdict(tmp_path):
    source = reel(tmp_path, video(3))
    shutil.rmtree(tmp_path)
    assert judged([], source, Restorer(), MASK, 0.5) == []
