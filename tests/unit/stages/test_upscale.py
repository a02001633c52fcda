"""The upscaler, with a network of random weights in the official format."""

import cv2
import numpy as np
import pytest
import torch
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN

from restoration.errors import RestorationError
from restoration.models.convert import convert, official_name
from restoration.models.registry import Model
from restoration.stages.upscale import Upscaler

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


def test_tiles_do_not_show(compact):
    frames = np.random.default_rng(2).integers(0, 256, (1, 80, 100, 3), dtype=np.uint8)
    whole = Upscaler(compact, SHA256, outscale=4, tile=0).process(frames)
    np.testing.assert_array_equal(Upscaler(compact, SHA256, outscale=4, tile=32, overlap=8).process(frames), whole)


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


def test_exact_asks_for_fp32(compact, frames):
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
