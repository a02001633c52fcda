"""The engine against a network small enough to know by heart."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from restoration.engines.engine import Engine, padded_to
from restoration.engines.start import start
from restoration.engines.tiles import SMALLEST_TILE
from restoration.engines.torch_network import choose_device, out_of_memory_as_memory_error
from restoration.errors import RestorationError

RECEPTIVE_FIELD = 4
"""Pixels on each side of one that Tiny looks at: a 3x3 and a dilated 3x3 convolution."""


class Tiny(nn.Module):
    """Two convolutions of fixed weights, then a nearest enlargement by *scale*."""

    def __init__(self, scale=2, multiple=1):
        super().__init__()
        generator = torch.Generator().manual_seed(7)
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 3, 3, padding=3, dilation=3)
        for parameter in self.parameters():
            parameter.data = torch.rand(parameter.shape, generator=generator) * 0.1 - 0.02
        self.scale, self.multiple = scale, multiple
        self.seen = []

    def forward(self, x):
        self.seen.append(tuple(x.shape))
        assert x.shape[2] % self.multiple == x.shape[3] % self.multiple == 0
        return functional.interpolate(self.second(functional.relu(self.first(x))), scale_factor=self.scale)


class Wrap(nn.Module):
    """Any function as a network."""

    def __init__(self, function):
        super().__init__()
        self.forward = function


def engine(network=None, *, precision="fp32", **settings):
    return Engine(start(network or Tiny(), precision=precision, device="cpu"), **{"scale": 2} | settings)


def noise(*shape, seed=1):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("size", [(40, 56), (41, 57), (33, 90), (7, 100), (1, 1)])
@pytest.mark.parametrize("multiple", [1, 4])
@pytest.mark.parametrize("tile", [16, 24])
def test_tiled_equals_whole_when_the_overlap_covers_the_receptive_field(size, multiple, tile):
    frames = noise(2, *size, 3)
    whole = engine(Tiny(multiple=multiple), multiple=multiple)(frames)
    network = Tiny(multiple=multiple)
    tiled = engine(network, multiple=multiple, tile=tile, overlap=RECEPTIVE_FIELD)(frames)
    assert whole.shape == tiled.shape == (2, size[0] * 2, size[1] * 2, 3)
    assert whole.dtype == tiled.dtype == np.uint8
    np.testing.assert_array_equal(tiled, whole)
    assert len(set(network.seen)) == 1, "one shape for all windows"


def test_a_narrower_overlap_shows_seams():
    frames = noise(1, 40, 40, 3)
    whole = engine()(frames)
    assert (engine(tile=16, overlap=RECEPTIVE_FIELD - 1)(frames) != whole).any()


def test_a_network_that_pairs_pixels_pairs_the_same_ones_in_all_tiles():
    def network(x):
        pairs = functional.avg_pool2d(x, 2, ceil_mode=True)
        return functional.interpolate(pairs, scale_factor=2)[..., : x.shape[2], : x.shape[3]]

    frames = noise(1, 41, 57, 3)
    whole = engine(Wrap(network), scale=1)(frames)
    np.testing.assert_array_equal(engine(Wrap(network), scale=1, step=2, tile=16, overlap=2)(frames), whole)
    assert (engine(Wrap(network), scale=1, tile=16, overlap=2)(frames) != whole).any()


def test_the_network_gets_rgb_in_0_to_1_and_the_result_is_rounded_and_clamped():
    seen = []

    def network(x):
        seen.append(x)
        return torch.stack([x[:, 0] + 0.4 / 255, x[:, 1] + 0.6 / 255, x[:, 2] * 4 - 1], 1)

    frames = np.array([[[[0, 1, 0]], [[255, 254, 255]], [[100, 100, 100]]]], np.uint8)
    result = engine(Wrap(network), scale=1)(frames)
    assert (seen[0].dtype, seen[0].min(), seen[0].max()) == (torch.float32, 0, 1)
    assert seen[0][0, :, 0, 0].tolist() == pytest.approx([0, 1 / 255, 0])
    assert result[0, :, 0].tolist() == [[0, 2, 0], [255, 255, 255], [100, 101, 145]]


def test_odd_sizes_are_padded_by_reflection_and_cropped():
    picture = np.arange(5 * 6, dtype=np.uint8).reshape(1, 5, 6, 1)
    padded = padded_to(picture, 1, 4)
    assert padded.shape == (1, 8, 8, 1)
    assert padded[0, 5:, 0].tolist() == picture[0, [3, 2, 1], 0].tolist()
    assert padded[0, 0, 6:].tolist() == picture[0, 0, [4, 3]].tolist()
    assert padded_to(picture, 1, 1) is picture
    # Too small to reflect: the border is repeated.
    assert np.unique(padded_to(picture[:, :1, :1], 1, 4)).tolist() == [0]
    frames = noise(3, 5, 6, 3)
    identity = engine(Wrap(lambda x: x), scale=1, multiple=4)
    np.testing.assert_array_equal(identity(frames), frames)


def test_small_pictures_repeat_their_border_and_then_reflect():
    picture = np.arange(3, dtype=np.uint8).reshape(1, 3, 1, 1)
    assert padded_to(picture, 5, 4)[0, :, 0, 0].tolist() == [0, 1, 2, 2, 2, 2, 2, 1]
    network = Tiny()
    assert engine(network, minimum=9)(noise(2, 4, 30, 3)).shape == (2, 8, 60, 3)
    assert network.seen == [(2, 3, 9, 30)]


def test_tiles_that_are_the_same_as_in_the_frame_before_are_computed_once():
    frames = np.repeat(noise(1, 40, 40, 3), 5, axis=0)
    frames[2:, 0, 0] += 1  # seen by the first tile alone
    frames[4, 39, 39] += 1  # by the last alone
    tiling = {"tile": 20, "overlap": RECEPTIVE_FIELD}
    expected = engine(**tiling)(frames[:1]), engine(**tiling)(frames[2:3]), engine(**tiling)(frames[4:])
    for batch in (1, 2, 5):
        network = Tiny()
        one = engine(network, **tiling)
        made = np.concatenate([one(frames[begin : begin + batch]) for begin in range(0, 5, batch)])
        for number, which in enumerate((0, 0, 1, 1, 2)):
            np.testing.assert_array_equal(made[number], expected[which][0])
        assert sum(shape[0] for shape in network.seen) == 4 + 2, "four tiles, and two of them once more"
    seen = len(network.seen)
    one(frames[4:], exact=True)
    assert len(network.seen) == seen + 4, "exact means anew"
    one(np.ascontiguousarray(frames[4:, :30]))
    assert len(network.seen) > seen + 4, "so does another size"


def test_frames_are_named_that_are_no_numbers_among_those_that_are_due():
    def network(x):
        return torch.where(x.amax((1, 2, 3), keepdim=True) > 0.9, torch.nan, x)

    frames = noise(5, 40, 40, 3) // 2
    frames[1] = frames[0]
    frames[4, 0, 0] = 255
    with pytest.raises(FloatingPointError) as caught:
        engine(Wrap(network), scale=1, tile=20)(frames)
    assert caught.value.args == ([4],)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("tile", [0, 16])
def test_what_is_no_number_names_its_frames(bad, tile):
    def network(x):
        x = x.clone()
        x[1, 2, -1, -1] = x[3, 0, 0, 0] = bad
        return x

    with pytest.raises(FloatingPointError) as caught:
        engine(Wrap(network), scale=1, tile=tile)(noise(4, 20, 20, 3))
    assert caught.value.args == ([1, 3],)


def failing(error):
    def network(x):
        raise error

    return engine(Wrap(network), scale=1)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:115] DefaultCPUAllocator: can't allocate memory: you tried ..."),
        RuntimeError("MPS backend out of memory"),
    ],
)
def test_out_of_memory_is_a_memory_error(error):
    with pytest.raises(MemoryError, match="memory"):
        failing(error)(noise(1, 4, 4, 3))


def test_a_real_allocation_that_fails_is_a_memory_error():
    with pytest.raises(MemoryError), out_of_memory_as_memory_error():
        torch.empty(1 << 60)


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="mat1 and mat2") as caught:
        failing(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))(noise(1, 4, 4, 3))
    assert not isinstance(caught.value, MemoryError)


def test_fp16_on_the_cpu_is_refused():
    with pytest.raises(RestorationError, match=r"precision: fp16 needs a GPU.*bf16.*fp32"):
        engine(precision="fp16")


def test_bf16_is_near_fp32_and_exact_is_fp32(knows_bf16):
    frames = noise(2, 24, 24, 3)
    exact = engine()(frames)
    quick = engine(precision="bf16")
    difference = np.abs(quick(frames).astype(int) - exact)
    assert 0 < difference.max() <= 4
    np.testing.assert_array_equal(quick(frames, exact=True), exact)


def test_bf16_is_fp32_where_it_would_take_ages(monkeypatch, caplog):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    frames = noise(2, 24, 24, 3)
    np.testing.assert_array_equal(engine(precision="bf16")(frames), engine()(frames))
    assert "does not know bf16" in caplog.text


def test_sixteen_bits_are_always_computed_exactly():
    deep = np.random.default_rng(0).integers(0, 65536, (1, 20, 24, 3)).astype(np.uint16)
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, 3, 3, padding=1)
    results = [engine(network, scale=1, precision=precision)(deep) for precision in ("bf16", "fp32")]
    assert results[0].dtype == np.uint16 and len(np.unique(results[0])) > 500
    np.testing.assert_array_equal(*results)


def test_batches_do_not_matter():
    frames = noise(5, 20, 24, 3)
    whole = engine()(frames)
    single = engine()
    np.testing.assert_array_equal(np.concatenate([single(frames[i : i + 1]) for i in range(5)]), whole)


def test_the_tile_is_halved_down_to_the_smallest():
    small = engine(tile=0)
    tiles = []
    while small.halve_tile(200, 300):
        tiles.append(small.tile)
    assert tiles == [150, 75, 37]
    assert tiles[-1] // 2 < SMALLEST_TILE <= tiles[-1]
    assert small.tile == 37


def test_devices_that_do_not_exist_are_refused(monkeypatch, caplog):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for name in ("cuda", "mps"):
        with pytest.raises(RestorationError, match=f"{name} was asked for.*device: auto"):
            choose_device(name)
    assert choose_device("auto").type == "cpu"
    assert "no GPU found" in caplog.text
    caplog.clear()
    assert choose_device("cpu").type == "cpu"
    assert not caplog.text


def test_no_warnings_and_no_gradients():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = engine()(noise(1, 8, 8, 3))
    assert result.flags.c_contiguous
