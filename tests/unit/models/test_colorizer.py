"""The shipped colorizer loads strictly, takes any gray picture, and colours it for the better."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from safetensors.torch import load_file
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor

from restoration.models.colorizer import (
    BT709,
    GRID_REACH,
    Colorizer,
    FrameColorizer,
    from_state,
    grid,
    lab_to_rgb,
    lightness,
    upsample_guided,
)

WEIGHTS = Path(__file__).parents[3] / "config/weights/embedded-colorizer.safetensors"


@pytest.fixture(scope="module")
def network() -> Colorizer:
    return from_state(load_file(WEIGHTS))


@pytest.fixture(scope="module")
def astronaut() -> Tensor:
    return torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1)[None] / 255


def luma(frames: Tensor) -> Tensor:
    """Gray frames (n, 3, h, w)."""
    return torch.einsum("nchw,c->nhw", frames, torch.tensor(BT709))[:, None].repeat(1, 3, 1, 1)


def to_picture(frames: Tensor) -> np.ndarray:
    return (frames[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def colourfulness(picture: np.ndarray) -> float:
    """Hasler and Süsstrunk 2003."""
    red, green, blue = np.moveaxis(picture.astype(float), 2, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    return np.hypot(*opponents.std((1, 2))) + 0.3 * np.hypot(*opponents.mean((1, 2)))


def test_small_enough_to_ship() -> None:
    assert WEIGHTS.stat().st_size <= 20e6


def test_ready_for_inference(network: Colorizer) -> None:
    assert not network.training
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("change", ["missing", "additional", "shape"])
def test_weights_must_fit_exactly(change: str) -> None:
    state = load_file(WEIGHTS)
    if change == "missing":
        del state["head.1.bias"]
    else:
        state["more" if change == "additional" else "head.1.bias"] = torch.zeros(2)
    with pytest.raises(RuntimeError, match=r"head\.1\.bias|more"):
        from_state(state)


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (97, 61), (256, 256), (301, 433)])
def test_any_size(size: tuple[int, int], network: Colorizer) -> None:
    gray = torch.rand(2, 1, *size, generator=torch.manual_seed(1))
    chroma = network(gray)
    assert chroma.shape == (2, 2, *size)
    assert chroma.abs().max() <= GRID_REACH * network.gain
    frames = FrameColorizer(network)(gray.repeat(1, 3, 1, 1))
    assert frames.shape == (2, 3, *size)
    assert frames.min() >= 0 and frames.max() <= 1


def test_the_same_twice_and_whatever_else_is_in_the_batch(network: Colorizer, astronaut: Tensor) -> None:
    gray = luma(astronaut)[:, :1]
    alone = network(gray)
    assert torch.equal(alone, network(gray))
    torch.testing.assert_close(network(torch.cat([1 - gray, gray]))[1:], alone, atol=0.05, rtol=0)


def test_only_the_luma_of_the_input_counts(network: Colorizer, astronaut: Tensor) -> None:
    painter = FrameColorizer(network)
    torch.testing.assert_close(painter(astronaut), painter(luma(astronaut)), atol=1e-3, rtol=0)


def test_lightness_survives(network: Colorizer, astronaut: Tensor) -> None:
    before = rgb2lab(to_picture(luma(astronaut)))[..., 0]
    after = rgb2lab(to_picture(FrameColorizer(network)(luma(astronaut))))[..., 0]
    assert np.abs(after - before).mean() < 0.5


def test_colours_are_better_than_none(network: Colorizer, astronaut: Tensor) -> None:
    truth, gray = to_picture(astronaut), to_picture(luma(astronaut))
    ours = to_picture(FrameColorizer(network)(luma(astronaut)))
    assert colourfulness(ours) > colourfulness(gray) + 10
    error = {
        name: deltaE_ciede2000(rgb2lab(picture), rgb2lab(truth)).mean()
        for name, picture in {"ours": ours, "gray": gray}.items()
    }
    assert error["ours"] < error["gray"]


def test_lab_agrees_with_skimage() -> None:
    rgb = np.random.default_rng(1).random((16, 16, 3))
    lab = torch.from_numpy(rgb2lab(rgb)).permute(2, 0, 1)[None].float()
    np.testing.assert_allclose(lab_to_rgb(lab)[0].permute(1, 2, 0).numpy(), rgb, atol=1e-4)
    gray = rgb[..., :1].repeat(3, 2)
    ours = lightness(torch.from_numpy(gray[..., :1]).permute(2, 0, 1)[None].float())
    np.testing.assert_allclose(ours[0, 0].numpy(), rgb2lab(gray)[..., 0], atol=1e-3)


def test_annealing_goes_from_the_mean_to_the_likeliest() -> None:
    network = Colorizer()
    likeliest, other = 17 * 12 + 8, 17 * 4 + 8
    logits = torch.full((1, len(grid()), 1, 1), -100.0)
    logits[0, likeliest], logits[0, other] = np.log(0.6), np.log(0.4)
    network.temperature.fill_(1)
    torch.testing.assert_close(network.chroma(logits).flatten(), torch.tensor([8.0, 0.0]), atol=1e-4, rtol=0)
    network.temperature.fill_(0.01)
    torch.testing.assert_close(network.chroma(logits).flatten(), torch.tensor([40.0, 0.0]), atol=1e-4, rtol=0)


def test_chroma_follows_the_edges_of_the_guide() -> None:
    gray = torch.full((1, 1, 64, 64), 0.2)
    gray[..., 30:] = 0.8
    small = torch.nn.functional.avg_pool2d(gray, 4)
    chroma = torch.cat([100 * (small - 0.5), torch.full_like(small, 7)], 1)
    result = upsample_guided(chroma, small, gray)
    assert result.shape == (1, 2, 64, 64)
    # Bilinear enlargement would smear the step over a cell of four pixels; the guide has it between columns 29 and 30.
    torch.testing.assert_close(result[0, 0, :, 29], torch.full((64,), -30.0), atol=2, rtol=0)
    torch.testing.assert_close(result[0, 0, :, 30], torch.full((64,), 30.0), atol=2, rtol=0)
    torch.testing.assert_close(result[0, 1], torch.full((64, 64), 7.0))
