"""The upscaler, with a network of random weights in the official format."""

from unittest.mock import Mock

import cv2
import numpy as np
import pytest
import torch
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN

from restoration.errors import RestorationError
from restoration.frames import resized
from restoration.models.convert import convert, official_name
from restoration.models.registry import Model
from restoration.stages.upscale import Upscaler, passes_to, projected, wanted_size

SHA256 = "ab" * 32


def converted(folder, network, scale, rename=lambda key: key):
    torch.save({rename(key): value for key, value in network.state_dict().items()}, folder / "x.pth")
    model = Model(id="x", task="upscale", scale=scale, licence="MIT", format="pth", bytes=1, sha256=SHA256, sources=())
    convert(folder / "x.pth", model, folder / "x.safetensors")
    return folder / "x.safetensors"


@pytest.fixture(scope="module")
def compact(tmp_path_factory):
    torch.manual_seed(3)
    return converted(tmp_path_factory.mktemp("compact"), Compact(num_feat=8, num_conv=2, upscale=4), 4)


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(1).integers(0, 256, (2, 15, 21, 3), dtype=np.uint8)


def test_the_networks_own_scale_needs_no_resizing(compact, frames):
    upscaler = Upscaler(compact, SHA256, outscale=4)
    result = upscaler.process(frames)
    assert (result.shape, result.dtype) == ((2, 60, 84, 3), np.uint8)
    np.testing.assert_array_equal(result, upscaler.engine(frames))


@pytest.mark.parametrize(("outscale", "height", "width"), [(2, 30, 42), (1.5, 22, 31), (5, 75, 105), (0.01, 1, 1)])
def test_other_scales_are_lanczos_afterwards(compact, frames, outscale, height, width):
    result = Upscaler(compact, SHA256, outscale=outscale).process(frames)
    assert result.shape == (2, height, width, 3)
    native = Upscaler(compact, SHA256, outscale=4).process(frames)
    expected = [cv2.resize(frame, (width, height), interpolation=cv2.INTER_LANCZOS4) for frame in native]
    np.testing.assert_array_equal(result, expected)


def test_a_result_that_no_chunk_can_hold_is_refused_before_the_work(compact, monkeypatch):
    upscaler = Upscaler(compact, SHA256, outscale=4)
    monkeypatch.setattr(upscaler, "engine", None)
    with pytest.raises(RestorationError, match=r"a picture of 24000x16000 is too large.*Lower upscale\.outscale"):
        upscaler.process(np.broadcast_to(np.uint8(0), (1, 4000, 6000, 3)))


def test_only_the_result_has_to_fit_into_a_chunk(compact, monkeypatch):
    """A photo of 20 megapixels passes through four times its edges on the way to twice."""
    upscaler = Upscaler(compact, SHA256, outscale=2)
    monkeypatch.setattr(upscaler, "engine", Mock(scale=4, side_effect=InterruptedError))
    with pytest.raises(InterruptedError):
        upscaler.process(np.broadcast_to(np.uint8(0), (1, 4000, 5000, 3)))


def test_tiles_do_not_show(compact):
    frames = np.random.default_rng(2).integers(0, 256, (1, 80, 100, 3), dtype=np.uint8)
    whole = Upscaler(compact, SHA256, outscale=4, tile=0).process(frames)
    tiled = Upscaler(compact, SHA256, outscale=4, tile=32, overlap=8).process(frames)
    # Other sizes, other order of the same sums.
    assert np.abs(tiled.astype(int) - whole).max() <= 1 and (tiled != whole).mean() < 1e-4


@pytest.mark.parametrize(("scale", "multiple"), [(1, 4), (2, 2), (4, 1)])
def test_rrdb_nets_are_padded_as_far_as_they_unshuffle(tmp_path, scale, multiple):
    torch.manual_seed(4)
    network = ESRGAN(
        num_blocks=1,
        num_filters=4,
        in_nc=3 * (4 // scale) ** 2,
        scale=4,
        shuffle_factor=4 // scale if scale < 4 else None,
    )
    upscaler = Upscaler(converted(tmp_path, network, scale, official_name), SHA256, outscale=scale)
    assert upscaler.engine.multiple == multiple
    frames = np.random.default_rng(1).integers(0, 256, (1, 9, 11, 3), dtype=np.uint8)
    assert upscaler.process(frames).shape == (1, 9 * scale, 11 * scale, 3)


def test_exact_asks_for_fp32(knows_bf16, compact, frames):
    exact = Upscaler(compact, SHA256, outscale=2).process(frames)
    quick = Upscaler(compact, SHA256, outscale=2, precision="bf16")
    assert (quick.process(frames) != exact).any()
    np.testing.assert_array_equal(quick.process(frames, exact=True), exact)


def test_shrinking_makes_smaller_tiles_until_none_is_left(compact):
    upscaler = Upscaler(compact, SHA256, outscale=4, tile=0)
    assert [upscaler.shrink(90, 128) for _ in range(3)] == [True, True, False]
    assert upscaler.engine.tile == 32


def test_weights_of_another_source_are_refused(compact):
    with pytest.raises(RestorationError, match="source_sha256"):
        Upscaler(compact, "cd" * 32, outscale=4)


@pytest.mark.parametrize(
    ("outscale", "target", "size"),
    [
        (2, (0, 0), (480, 640)),
        (1.5, (0, 0), (360, 480)),
        (2, (0, 720), (720, 960)),
        (2, (1280, 0), (960, 1280)),
        (2, (1280, 720), (720, 960)),
        (2, (500, 720), (375, 500)),
    ],
)
def test_targets_keep_the_aspect(outscale, target, size):
    assert wanted_size(240, 320, outscale, target) == size


@pytest.mark.parametrize(
    ("factor", "scale", "passes"), [(2, 2, 1), (3, 2, 2), (4, 2, 2), (0.5, 2, 1), (5, 4, 1), (16, 4, 2), (7, 1, 1)]
)
def test_passes_come_nearest(factor, scale, passes):
    assert passes_to(factor, scale) == passes


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    torch.manual_seed(5)
    return converted(tmp_path_factory.mktemp("double"), Compact(num_feat=8, num_conv=1, upscale=2), 2)


@pytest.fixture(scope="module")
def other_double(tmp_path_factory):
    torch.manual_seed(6)
    return converted(tmp_path_factory.mktemp("other"), Compact(num_feat=8, num_conv=1, upscale=2), 2)


def test_a_second_pass_works_on_the_first_and_may_be_another_network(double, other_double, frames):
    first, second = (Upscaler(path, SHA256, outscale=2) for path in (double, other_double))
    once = first.process(frames)
    np.testing.assert_array_equal(Upscaler(double, SHA256, outscale=4).process(frames), first.process(once))
    other = Upscaler(double, SHA256, outscale=4, further_passes=(other_double, SHA256))
    np.testing.assert_array_equal(other.process(frames), second.process(once))
    assert other.shrink(90, 128) and other.engine.tile == other.later.tile == 64
    to_height = Upscaler(double, SHA256, outscale=1, target=(0, 45)).process(frames)
    np.testing.assert_array_equal(to_height, [resized(frame, (45, 63)) for frame in first.process(once)])


def test_siblings_are_mixed_by_denoise_strength(double, other_double, compact, frames):
    one, other = (Upscaler(path, SHA256, outscale=2).process(frames) for path in (double, other_double))

    def mixed(share):
        sibling = (other_double, SHA256)
        return Upscaler(double, SHA256, outscale=2, weak_denoise=sibling, denoise_strength=share).process(frames)

    np.testing.assert_array_equal(mixed(1), one)
    np.testing.assert_array_equal(mixed(0), other)
    assert (mixed(0.5) != one).any() and (mixed(0.5) != other).any()
    with pytest.raises(RestorationError, match="cannot be mixed with"):
        Upscaler(double, SHA256, outscale=2, weak_denoise=(compact, SHA256))


def test_strength_blends_with_plain_enlargement(compact, frames):
    full = Upscaler(compact, SHA256, outscale=3).process(frames).astype(int)
    plain = np.stack([resized(frame, (45, 63)) for frame in frames])
    np.testing.assert_array_equal(Upscaler(compact, SHA256, outscale=3, strength=0).process(frames), plain)
    half = Upscaler(compact, SHA256, outscale=3, strength=0.5).process(frames)
    assert np.abs(half - (full + plain) / 2).max() <= 0.5


def test_back_projection_pulls_to_the_source(compact):
    rows, columns = np.mgrid[:30, :40]
    source = np.stack([columns * 6, rows * 8, rows + columns], axis=-1).astype(np.uint8)
    result = Upscaler(compact, SHA256, outscale=4).process(source[None])[0]

    def error(picture):
        return np.abs(cv2.resize(picture, (40, 30), interpolation=cv2.INTER_AREA).astype(int) - source).mean()

    errors = [error(projected(result, source, times)) for times in (0, 1, 3)]
    assert errors[2] < errors[1] < errors[0] / 4
    np.testing.assert_array_equal(projected(result, source, 0), result)
    # What became smaller than the source cannot be asked.
    small = resized(source, (15, 20))
    np.testing.assert_array_equal(projected(small, source, 3), small)
    pulled = Upscaler(compact, SHA256, outscale=4, back_projection=3).process(source[None])[0]
    np.testing.assert_array_equal(pulled, projected(result, source, 3))


@pytest.mark.parametrize("size", [(1, 1), (17, 13), (1, 40)])
def test_odd_frames_and_padding(compact, size):
    frames = np.random.default_rng(1).integers(0, 256, (1, *size, 3), dtype=np.uint8)
    for pre_pad in (0, 10):
        result = Upscaler(compact, SHA256, outscale=4, pre_pad=pre_pad).process(frames)
        assert result.shape == (1, 4 * size[0], 4 * size[1], 3)
