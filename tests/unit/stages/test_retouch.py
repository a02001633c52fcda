"""The stage that retouches, with weights by a formula: as the original's way, and what it leaves of that out."""

from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from safetensors.torch import save_file

import old_photos as cases
from restoration.engines.engine import use
from restoration.errors import RestorationError
from restoration.media.chunks import read_chunk, write_chunk
from restoration.media.masks import write_with_masks
from restoration.models.load import content_sha256
from restoration.pipeline.plan import Span
from restoration.stages.retouch import Retoucher, told_apart
from restoration.stages.runner import Guard, restored_chunk
from restoration.stages.within import Within

FRAMES = np.stack([cases.frame(40, 64), cases.frame(40, 64)[:, ::-1]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


def made(folder, name, **options):
    """A stage with the mapping *name*."""
    halves = [cases.converted(folder, "autoencoder")] * 2
    finder = [cases.converted(folder, "finder")] * (name != "quality")
    usual = {"min_score": cases.MIN_SCORE, "detect_at": cases.SHORT_SIDE}
    return Retoucher(cases.converted(folder, name), *halves, *finder, **(usual | options))


@pytest.fixture(scope="module")
def small(folder):
    """The same of few channels."""
    (folder / "small").mkdir()

    def make(name, **options):
        with cases.narrow():
            return made(folder / "small", name, **options)

    return make


@pytest.fixture(scope="module")
def quality(small):
    return small("quality")


@pytest.fixture(scope="module")
def large(small):
    return small("large")


def found(monkeypatch, stage, mask):
    """Let the stage find scratches where *mask* (h, w) is true."""
    scores = np.where(mask, 1, 0).astype(np.float32)[None, ..., None]
    values = lambda gray, exact: np.repeat(scores, len(gray), axis=0)  # noqa: E731
    monkeypatch.setattr(stage, "finder", Mock(values=values))


@pytest.mark.parametrize("name", cases.MAPPINGS)
def test_the_whole_way_is_the_original_one(folder, name):
    result = made(folder, name).process(cases.frame()[None])
    assert (result.shape, result.dtype) == ((1, 64, 96, 4), np.uint8)
    expected = np.array(cases.golden()[f"flow {name}"])
    assert np.ptp(expected) > 100
    np.testing.assert_allclose(cases.sampled(result[..., :3]), expected, atol=1.05)
    assert set(np.unique(result[..., 3])) == ({0, 255} if name != "quality" else {0})


def test_contrast_is_not_stretched(tmp_path):
    """The original stretches every picture between its own darkest and brightest sample."""
    state = dict(cases.state("autoencoder"))
    for part in ("weight", "bias"):
        state[f"decoder.11.{part}"] = state[f"decoder.11.{part}"] / 20
    dim = tmp_path / "dim.safetensors", cases.SHA256
    save_file(state, dim[0], {"source_sha256": cases.SHA256, "content_sha256": content_sha256(state)})
    with cases.narrow():
        networks = [cases.converted(tmp_path, name) for name in ("quality", "autoencoder")]
        stage = Retoucher(*networks, dim)
    assert 3 < np.ptp(stage.process(FRAMES)[..., :3]) < 90


def test_what_is_scratched_does_not_matter_and_is_on_record(monkeypatch, large):
    mask = np.zeros(FRAMES.shape[1:3], bool)
    mask[10:20, 30:34] = True
    found(monkeypatch, large, mask)
    scribbled = FRAMES.copy()
    scribbled[:, mask] = 17
    first, second = large.process(FRAMES), large.process(scribbled)
    np.testing.assert_array_equal(first, second)
    # This network wants them wider by three pixels.
    np.testing.assert_array_equal(first[..., 3] > 0, [cv2.dilate(mask.astype(np.uint8), np.ones((7, 7))) > 0] * 2)
    found(monkeypatch, large, ~mask & False)
    assert (large.process(FRAMES)[..., :3] != first[..., :3]).mean() > 0.1


def test_strength_blends_and_says_so(monkeypatch, large):
    mask = np.zeros(FRAMES.shape[1:3], bool)
    mask[10:20, 30:34] = True
    found(monkeypatch, large, mask)
    full = large.process(FRAMES)
    monkeypatch.setattr(large, "strength", 0.5)
    half = large.process(FRAMES)
    assert set(np.unique(half[..., 3])) == {0, 128}
    assert np.abs(half[..., :3] - (full[..., :3] / 2 + FRAMES / 2)).max() <= 0.5
    monkeypatch.setattr(large, "strength", 0)
    np.testing.assert_array_equal(large.process(FRAMES), np.pad(FRAMES, ((0, 0), (0, 0), (0, 0), (0, 1))))


@pytest.mark.parametrize("size", [(37, 50), (1, 40), (9, 3)])
def test_any_size(quality, large, size):
    frames = cases.frame(*size)[None]
    for stage in (quality, large):
        assert stage.process(frames).shape == (1, *size, 4)
    # What is added at the bottom and right is the picture's own reflection.
    padded = np.pad(cases.frame(37, 50), ((0, 3), (0, 2), (0, 0)), mode="reflect")
    whole = quality.process(padded[None])[:, :37, :50]
    np.testing.assert_array_equal(quality.process(cases.frame(37, 50)[None]), whole)


def test_company_does_not_matter(quality, large):
    for stage in (quality, large):
        together = stage.process(FRAMES)
        alone = np.concatenate([stage.process(frame[None]) for frame in FRAMES])
        assert np.abs(together.astype(int) - alone).max() <= 1


def test_tiles_have_a_contrast_of_their_own(small, quality):
    """The networks normalise by what they see: seams are the price, so whole frames are usual."""
    frame = cases.frame(96, 128)[None]
    whole = quality.process(frame).astype(int)
    tiled = small("quality", tile=64, overlap=8).process(frame)

    assert 0.5 < np.abs(tiled - whole).mean() < 25
    assert (np.abs(small("quality", tile=128).process(frame) - whole) <= 1).all()


def test_masks_are_cut_with_their_pictures(monkeypatch, large):
    mask = np.zeros((64, 96), bool)
    mask[10:50, 60:63] = True
    found(monkeypatch, large, mask)
    windows = []
    by = Mock(pictures=lambda pictures, exact: windows.append(pictures) or pictures[..., :3])
    monkeypatch.setattr(large.engine, "network", by)
    monkeypatch.setattr(large.engine, "tile", 32)
    monkeypatch.setattr(large.engine, "overlap", 0)
    frame = cases.frame()
    result = large.process(frame[None])
    np.testing.assert_array_equal(result[0, ..., :3], frame)
    assert [window.shape for window in windows] == [(1, 32, 32, 4)] * 6
    rows = [np.concatenate([window[0, ..., 3] for window in windows[i : i + 3]], axis=1) for i in (0, 3)]
    np.testing.assert_array_equal(np.concatenate(rows), result[0, ..., 3])


def test_without_memory_fewer_frames_pass_at_once_but_no_tiles_come_by_themselves(monkeypatch, small):
    stage, frames = small("quality"), np.stack([cases.frame(96, 128)] * 2)
    whole, pictures, most = stage.process(frames), stage.engine.network.pictures, 96 * 128

    def limited(batch, *, exact):
        if batch[..., 0].size > most:
            raise MemoryError
        return pictures(batch, exact=exact)

    monkeypatch.setattr(stage.engine.network, "pictures", limited)
    guard = Guard(stage, batch=2)
    assert np.abs(guard.process(frames, (0, 1)).astype(int) - whole).max() <= 1 and guard.batch == 1
    most -= 1
    with pytest.raises(RestorationError, match=r"128x96 does not fit into memory.*set retouch\.tile: 64"):
        guard.process(frames[:, ::-1], (2, 3))


def test_openvino_gives_the_same(small, quality):
    pytest.importorskip("openvino")
    use(1, "openvino")
    try:
        other = small("quality")
    finally:
        use(1)
    assert np.abs(other.process(FRAMES).astype(int) - quality.process(FRAMES)).max() <= 1


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["large"], r"large.safetensors fills scratches: retouch.detector must name what finds them"),
        (["quality", "finder"], r"quality.safetensors knows nothing of scratches: retouch.detector must be left out"),
    ],
)
def test_a_mapping_and_a_finder_go_together(tmp_path, names, message):
    with cases.narrow():
        mapping, *finder = (cases.converted(tmp_path, name) for name in names)
        halves = [cases.converted(tmp_path, "autoencoder")] * 2
        with pytest.raises(RestorationError, match=message):
            Retoucher(mapping, *halves, *finder)


class Painting:
    """A stage that paints everything orange and says so of the upper half."""

    takes_all = False

    def process(self, frames, *, exact=False):
        painted = np.zeros((*frames.shape[:3], 4), np.uint8)
        painted[..., :3] = 200, 100, 0
        painted[:, : frames.shape[1] // 2, :, 3] = 255
        return painted

    def shrink(self, height, width):
        return False


def test_chunks_of_frames_and_masks(tmp_path):
    """Frames that repeat get equal masks; borders are nobody's; shots without colour stay so; 16 bits stay."""
    deep = np.random.default_rng(1).integers(0, 65536, (3, 12, 16, 3), dtype=np.uint16)
    deep[2] = deep[0]
    write_chunk(tmp_path / "in.mkv", deep, expected=3)
    stage = Within(Painting(), (16, 8, 0, 2))
    pictures = restored_chunk(stage, tmp_path / "in.mkv", Span(0, 2), batch=2)
    pairs = told_apart(pictures, [True, False, False])
    write_with_masks(tmp_path / "a.mkv", tmp_path / "a.mask.mkv", pairs, expected=3, source=tmp_path / "in.mkv")
    frames, masks = (np.stack(list(read_chunk(tmp_path / name))) for name in ("a.mkv", "a.mask.mkv"))
    luma = round(0.299 * 200 + 0.587 * 100)
    assert (np.abs(frames[0, 2:10].astype(int) - luma) <= 1).all()
    assert (np.abs(frames[1:, 2:10].astype(int) - (200, 100, 0)) <= 1).all()
    expected = np.zeros((12, 16, 3), np.uint8)
    expected[2:6, :, 1] = 255
    np.testing.assert_array_equal(masks, [expected] * 3)
    hashes = (tmp_path / "a.mask.hashes").read_text().split()
    assert len(hashes) == 3 and len(set(hashes)) == 1
