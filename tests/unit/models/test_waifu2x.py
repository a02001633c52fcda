"""waifu2x and Real-CUGAN: every file that the registry names, and the networks behind them at every size."""

import hashlib
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from safetensors.torch import load_file

from restoration.errors import RestorationError
from restoration.models.convert import convert
from restoration.models.fetch import fetch
from restoration.models.load import build, load
from restoration.models.registry import load_registry, own_model
from restoration.models.waifu2x import CUNET, VGG7, CUNet, UpConv7, with_border
from restoration.stages.upscale import Upscaler

REGISTRY = load_registry(Path(__file__).parents[3] / "config/models.yaml")
IDS = [
    *(f"waifu2x-{name}-2x-noise{n}" for name, n in product(("upconv7-art", "upconv7-photo"), ("none", 0, 1, 2, 3))),
    *(f"waifu2x-cunet-art-2x-noise{n}" for n in ("none", 0, 1, 2, 3)),
    *(f"waifu2x-cunet-art-1x-noise{n}" for n in range(4)),
    *(f"realcugan-se-{s}x-{level}" for s, level in product((2, 3, 4), ("conservative", "noisenone", "noise3"))),
    *(f"realcugan-se-2x-noise{n}" for n in (1, 2)),
    *(f"realcugan-pro-{s}x-{level}" for s, level in product((2, 3), ("conservative", "noisenone", "noise3"))),
]
UPCONV7, CUNET_1X, CUNET_2X = (
    f"waifu2x-{name}-fp16" for name in ("upconv7-photo-2x-noise3", "cunet-art-1x-noise1", "cunet-art-2x-noisenone")
)
REALCUGAN = [f"realcugan-se-{scale}x-conservative-fp16" for scale in (2, 3, 4)]
FAMILIES = [UPCONV7, CUNET_1X, CUNET_2X, *REALCUGAN]


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("converted")

    def weights(model_id):
        target = folder / f"{model_id}.safetensors"
        if not target.exists():
            convert(fetch(REGISTRY[model_id], folder), REGISTRY[model_id], target)
        return target

    return weights


@pytest.fixture
def upscaler(converted):
    return lambda model_id, **options: Upscaler(
        converted(model_id), REGISTRY[model_id].sha256, outscale=REGISTRY[model_id].scale, **options
    )


def test_the_registry_names_all_of_them(tmp_path):
    """Other code computes these names; a size and a SHA-256 are compared in `fetch`."""
    families = [model for model in REGISTRY.values() if model.id.startswith(("waifu2x-", "realcugan-"))]
    assert sorted(model.id for model in families) == sorted(f"{model_id}-fp16" for model_id in IDS)
    for model in families:
        assert f"-{model.scale}x-" in model.id
        assert fetch(model, tmp_path).stat().st_size == model.bytes


def apart(upscaler, model_id, **tiles):
    """How far tiles are from the whole, in steps of 255."""
    frames = skimage.data.astronaut()[None, 20:81, 170:263]
    return np.abs(upscaler(model_id, **tiles).process(frames).astype(int) - upscaler(model_id).process(frames))


def test_tiles_of_convolutions_alone_do_not_show(upscaler):
    enough = apart(upscaler, UPCONV7, tile=32, overlap=7)
    assert enough.max() <= 1 and (enough > 0).mean() < 1e-4  # ties in rounding
    assert apart(upscaler, UPCONV7, tile=32, overlap=4).max() > 1


@pytest.mark.parametrize(("model_id", "most"), [(CUNET_1X, 3), (CUNET_2X, 6), (REALCUGAN[1], 8)])
def test_tiles_differ_by_what_the_network_knows_of_the_whole(upscaler, model_id, most):
    """Measured: 2, 5 and 7 of 255, less than 1 on average. Tiles between the steps of its halvings: 6, 11 and 20."""
    found = apart(upscaler, model_id, tile=32, overlap=16)
    assert found.max() <= most and found.mean() < 1


def test_the_border_is_repeated():
    picture = torch.arange(6.0).reshape(1, 1, 2, 3)
    bordered = with_border(picture, 2, 4)[0, 0]
    assert bordered[:, 2].tolist() == [0, 0, 0, 3, 3, 3, 3, 3]
    assert bordered[2].tolist() == [0, 0, 0, 1, 2, 2, 2, 2]


def test_waifu2x_and_real_cugan_are_told_apart(converted):
    networks = {model_id: load(converted(model_id), REGISTRY[model_id].sha256) for model_id in FAMILIES}
    kinds = [type(networks[model_id].network).__name__ for model_id in FAMILIES]
    assert kinds == ["UpConv7", "CUNet", "CUNet", "UpCunet2x", "UpCunet3x", "UpCunet4x"]
    assert [networks[model_id].step for model_id in FAMILIES] == [1, 4, 2, 2, 4, 2]


NUNIF = {"vgg_7": VGG7, "upconv_7": UpConv7, "cunet": partial(CUNet, 1), "upcunet": partial(CUNet, 2)}
"""Networks by the names that nunif gives them in its files."""


def nunif(path, name, kind, /, **more):
    """Write a checkpoint as nunif's `save_model` does, of seeded weights; gives these."""
    torch.manual_seed(1)
    state = {key: tensor for key, tensor in kind().state_dict().items() if key != CUNET}
    about = {"kwargs": {"in_channels": 3, "out_channels": 3}, "train_kwargs": {"arch": name, "learning_rate": 2e-4}}
    saved = {"nunif_model": 1, "name": f"waifu2x.{name}", "updated_at": "2022-11-09 05:38:04+00:00"}
    torch.save(saved | about | {"state_dict": state} | more, path)
    return state


def own(path, **options):
    return own_model("upscale", str(path), hashlib.sha256(path.read_bytes()).hexdigest(), **options)


@pytest.mark.parametrize("name", NUNIF)
def test_checkpoints_of_nunif_are_files_of_ones_own(name, tmp_path):
    """Its networks gave what these give, bit for bit, when both were tried by hand on what nunif itself had saved."""
    state = nunif(tmp_path / "noise0.pth", name, NUNIF[name])
    mine = own(tmp_path / "noise0.pth")
    convert(fetch(mine, tmp_path / "downloads"), mine, tmp_path / "x.safetensors")
    loaded = load(tmp_path / "x.safetensors", mine.sha256)
    assert type(loaded.network) is type(NUNIF[name]()) and loaded.scale == (2 if name.startswith("up") else 1)
    assert all(torch.equal(loaded.network.state_dict()[key], tensor) for key, tensor in state.items())
    with torch.inference_mode():
        result = loaded.network(torch.rand(1, 3, 9, 7))
    assert result.shape == (1, 3, 9 * loaded.scale, 7 * loaded.scale)
    with pytest.raises(RestorationError, match=f"the network's scale is {loaded.scale}, and 4 is wanted"):
        convert(tmp_path / "noise0.pth", own(tmp_path / "noise0.pth", scale=4), tmp_path / "y.safetensors")


def test_files_of_nunif_have_the_tensors_of_the_registered_ones(converted, tmp_path):
    for name, model_id in (("upconv_7", UPCONV7), ("cunet", CUNET_1X), ("upcunet", CUNET_2X)):
        state = nunif(tmp_path / "x.pth", name, NUNIF[name])
        assert load_file(converted(model_id)).keys() - {CUNET} == state.keys()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"name": "waifu2x.swin_unet_2x"},
            r"holds the network waifu2x\.swin_unet_2x; of nunif's, these are known: .*vgg_7",
        ),
        ({"state_dict": {"net.0.weight": torch.zeros(2)}}, "spandrel knows no network"),
        ({"state_dict": VGG7().state_dict() | {"more": torch.zeros(1)}}, "do not fit"),
        ({"state_dict": VGG7().state_dict() | {"net.0.weight": torch.zeros(32, 1, 3, 3)}}, "do not fit"),
        ({"train_kwargs": {"function": hash}}, "is refused"),
    ],
    ids=["another network", "too few", "too many", "one channel", "code"],
)
def test_what_else_nunif_may_have_saved_is_refused(changes, message, tmp_path):
    nunif(tmp_path / "x.pth", "vgg_7", VGG7, **changes)
    with pytest.raises(RestorationError, match=message):
        convert(tmp_path / "x.pth", own(tmp_path / "x.pth"), tmp_path / "x.safetensors")


@pytest.mark.parametrize("model_id", FAMILIES)
def test_one_tensor_more_or_less_is_refused(converted, model_id):
    state = load_file(converted(model_id))
    last = max(key for key in state if key.endswith(".bias"))
    for wrong in (
        {key: tensor for key, tensor in state.items() if key != last},
        state | {"more": torch.zeros(1)},
        state | {last: torch.zeros(7)},
    ):
        with pytest.raises(RestorationError, match="do not fit"):
            build(wrong, "x")


@pytest.mark.parametrize("model_id", FAMILIES)
def test_a_damaged_file_is_refused(model_id, tmp_path):
    entry = REGISTRY[model_id]
    data = fetch(entry, tmp_path).read_bytes()
    for damaged, message in (
        (data[:-4], f"ends at {len(data) - 4}, inside"),
        (data[: len(data) // 2], "ends at"),
        (data + bytes(4), "4 bytes too many"),
        (data[4:], "has flag"),
    ):
        (tmp_path / "x").write_bytes(damaged)
        with pytest.raises(RestorationError, match=message):
            convert(tmp_path / "x", entry, tmp_path / "x.safetensors")
    assert not list(tmp_path.glob("*.safetensors"))


@pytest.mark.parametrize(
    ("model_id", "other"), [(CUNET_1X, CUNET_2X), (CUNET_2X, UPCONV7), (REALCUGAN[1], REALCUGAN[0])]
)
def test_a_file_of_another_network_is_refused(model_id, other, tmp_path):
    with pytest.raises(RestorationError, match=r"flag|ends at|too many"):
        convert(fetch(REGISTRY[other], tmp_path), REGISTRY[model_id], tmp_path / "x.safetensors")
