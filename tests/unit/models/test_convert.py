"""Checkpoints to safetensors: real ncnn files, the official layout, and files that must be refused."""

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from spandrel.architectures.Compact import Compact
from spandrel.architectures.RestoreFormer import RestoreFormer
from torch.nn.functional import interpolate

from restoration.errors import RestorationError
from restoration.models.convert import convert
from restoration.models.fetch import fetch
from restoration.models.load import load, load_colorizer, load_face_restorer
from restoration.models.registry import Model, load_registry

REGISTRY = load_registry(Path(__file__).parents[3] / "config/models.yaml")
SMALLEST = "realesr-animevideov3-fp16"


def model(**changes) -> Model:
    entry = Model(
        id="tiny", task="upscale", scale=4, licence="MIT", format="pth", bytes=1, sha256="ab" * 32, sources=()
    )
    return replace(entry, **changes)


def tiny_state(seed: int = 1) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return Compact(num_feat=8, num_conv=2).state_dict()


@pytest.mark.parametrize("model_id", [model_id for model_id in REGISTRY if model_id.endswith("-fp16")])
def test_real_ncnn_weights_upscale_a_gradient(model_id, tmp_path):
    entry, target = REGISTRY[model_id], tmp_path / "x.safetensors"
    convert(fetch(entry, tmp_path), entry, target)
    # Larger than the least that a network takes: what smaller pictures need is the engine's to do.
    gradient = (torch.arange(64.0)[:, None] + torch.arange(96.0)).div(158).expand(1, 3, -1, -1)
    with torch.inference_mode():
        restored = load(target, entry.sha256).network(gradient)
    expected = interpolate(gradient, scale_factor=entry.scale, mode="bicubic")
    assert (restored - expected).abs().mean() < 0.025


def test_names_are_the_official_ones(tmp_path):
    entry, target = REGISTRY["RealESRGAN_x4plus_anime_6B-fp16"], tmp_path / "x.safetensors"
    convert(fetch(entry, tmp_path), entry, target)
    with safe_open(target, "pt") as file:
        names = {name.removesuffix(".weight") for name in file.keys() if name.endswith(".weight")}  # noqa: SIM118
    outer = {"conv_first", "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"}
    assert names == outer | {f"body.{b}.rdb{r}.conv{c}" for b in range(6) for r in (1, 2, 3) for c in range(1, 6)}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-4], "ends at 1247364, inside body.34.bias"),
        (lambda data: data[:1000], "ends at 1000, inside body.0.weight"),
        (lambda data: data + bytes(4), "4 bytes too many"),
        (lambda data: b"\1\0\0\0" + data[4:], "body.0.weight has flag 0x1, neither fp16 nor fp32, at 0"),
        (lambda data: bytes(4) + data[4:], "has flag"),
        (lambda data: data[:2] + data, "has flag"),
    ],
)
def test_a_damaged_ncnn_file_is_refused(damage, message, tmp_path):
    entry, source = REGISTRY[SMALLEST], tmp_path / "x.ncnn"
    source.write_bytes(damage(fetch(entry, tmp_path).read_bytes()))
    with pytest.raises(RestorationError, match=message):
        convert(source, entry, tmp_path / "x.safetensors")
    assert not list(tmp_path.glob("*.safetensors"))


def test_ncnn_weights_of_an_odd_count_are_padded(tmp_path):
    """9·3·1 values of 16 bits end between two multiples of 4."""
    architecture = {"name": "SRVGGNetCompact", "num_feat": 1, "num_conv": 0, "upscale": 1, "act_type": "prelu"}
    state = {
        key: tensor.half().float()
        for key, tensor in Compact(**dict(list(architecture.items())[1:])).state_dict().items()
    }
    data = b""
    for tensor in state.values():
        if tensor.ndim == 4:
            half = tensor.half().numpy().tobytes()
            data += 0x01306B47.to_bytes(4, "little") + half + bytes(-len(half) % 4)
        else:
            data += tensor.numpy().tobytes()
    source = tmp_path / "x.ncnn"
    source.write_bytes(data)
    entry = model(format="ncnn", architecture=architecture, scale=1)
    convert(source, entry, tmp_path / "x.safetensors")
    loaded = load(tmp_path / "x.safetensors", entry.sha256).network.state_dict()
    assert all(torch.equal(loaded[key], tensor) for key, tensor in state.items())


@pytest.mark.parametrize("wrap", ["params", "params_ema", "state_dict", None])
def test_the_official_layout_converts_exactly(wrap, tmp_path):
    state = tiny_state()
    # The official files of RRDBNet hold both; the averaged weights are the better ones.
    layout = {"params_ema": state, "params": tiny_state(2)} if wrap == "params_ema" else {wrap: state}
    torch.save(layout if wrap else state, tmp_path / "x.pth")
    convert(tmp_path / "x.pth", model(), tmp_path / "x.safetensors")
    loaded = load(tmp_path / "x.safetensors", model().sha256).network.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], tensor) for key, tensor in state.items())


def test_half_precision_and_safetensors_sources_load_as_float32(tmp_path):
    torch.save({"params": {key: tensor.half() for key, tensor in tiny_state().items()}}, tmp_path / "x.pth")
    convert(tmp_path / "x.pth", model(), tmp_path / "x.safetensors")
    convert(tmp_path / "x.safetensors", model(format="safetensors"), tmp_path / "y.safetensors")
    state = load_file(tmp_path / "y.safetensors")
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    assert all(torch.equal(tensor.half().float(), state[key]) for key, tensor in tiny_state().items())


class Malicious:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("save", [torch.save, lambda data, path: path.write_bytes(pickle.dumps(data, protocol=2))])
def test_a_malicious_pickle_is_refused_and_not_executed(save, tmp_path):
    save({"params": tiny_state(), "extra": Malicious(tmp_path / "executed")}, tmp_path / "x.pth")
    with pytest.raises(RestorationError, match="is refused"):
        convert(tmp_path / "x.pth", model(), tmp_path / "x.safetensors")
    assert not (tmp_path / "executed").exists()
    torch.load(tmp_path / "x.pth", weights_only=False) if save is torch.save else pickle.loads(
        (tmp_path / "x.pth").read_bytes()
    )
    assert (tmp_path / "executed").exists(), "the file is harmless, the test proves nothing"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"params": {"a": 1}}, "is no state dict"),
        ([1, 2], "is no state dict"),
        ({"params": {"a": torch.zeros(1)}}, "knows no network"),
        ({"params": tiny_state() | {"body.3.weight": torch.zeros(7)}}, "do not fit"),
        ({"params": tiny_state() | {"more": torch.zeros(7)}}, "do not fit"),
    ],
)
def test_no_network_is_refused(content, message, tmp_path):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(RestorationError, match=message):
        convert(tmp_path / "x.pth", model(), tmp_path / "x.safetensors")


@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_a_file_of_another_kind_is_refused(kind, tmp_path):
    (tmp_path / "x").write_bytes(b"<html>gone</html>")
    with pytest.raises(RestorationError, match="x is "):
        convert(tmp_path / "x", model(format=kind), tmp_path / "x.safetensors")


def test_a_wrong_scale_in_the_registry_is_refused(tmp_path):
    torch.save({"params": tiny_state()}, tmp_path / "x.pth")
    with pytest.raises(RestorationError, match="the network's scale is 4, and 2 is wanted"):
        convert(tmp_path / "x.pth", model(scale=2), tmp_path / "x.safetensors")


def test_the_file_is_as_readable_as_any_other(tmp_path):
    torch.save({"params": tiny_state()}, tmp_path / "x.pth")
    convert(tmp_path / "x.pth", model(), tmp_path / "x.safetensors")
    (tmp_path / "other").touch()
    assert (tmp_path / "x.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


class Trap:
    """A pickle of it would make a folder when it is read without restriction."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False], ids=["new format", "old format"])
def test_fastai_checkpoints_are_read_without_running_what_is_in_them(tmp_path, zipped):
    weights = load_file(Path(__file__).parents[3] / "config/weights/embedded-colorizer.safetensors")
    saved = {"model": weights, "opt": {"slice": slice(0, 3), "function": os.getcwd, "trap": Trap(tmp_path / "sprung")}}
    torch.save(saved, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    entry = model(task="colorize", scale=1, format="fastai")
    convert(tmp_path / "x.pth", entry, tmp_path / "x.safetensors")
    assert not (tmp_path / "sprung").exists()
    assert set(load_file(tmp_path / "x.safetensors")) == set(weights)
    with torch.inference_mode():
        assert load_colorizer(tmp_path / "x.safetensors", entry.sha256)(torch.rand(1, 3, 40, 50)).shape == (
            1,
            3,
            40,
            50,
        )
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": {"a": 1}}, "no checkpoint of fastai: expected tensors"),
        ([1, 2], "no checkpoint of fastai: expected tensors"),
        ({"model": {"a": torch.zeros(2)}}, "the tensors fit no colorizer"),
        (None, "is refused: it is no checkpoint"),
    ],
)
def test_what_is_no_fastai_checkpoint_is_refused(tmp_path, content, message):
    source = tmp_path / "x.pth"
    source.write_bytes(b"nonsense") if content is None else torch.save(content, source)
    with pytest.raises(RestorationError, match=message):
        convert(source, model(task="colorize", scale=1, format="fastai"), tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def lightning(path, **more):
    """A checkpoint as Lightning writes it, of a small RestoreFormer in training; gives its tensors."""
    torch.manual_seed(1)
    network = RestoreFormer(n_embed=8, embed_dim=32, ch=32, ch_mult=(1,) * 6, num_res_blocks=1, z_channels=32)
    state = network.state_dict()
    losses = {"loss.logvar": torch.ones(2), "loss.discriminator.main.0.weight": torch.ones(3, 3)}
    saved = {
        "epoch": 3, "pytorch-lightning_version": "1.0.8", "callbacks": {slice: {"best": torch.tensor(0.5)}},
        "optimizer_states": [{"state": {0: {"step": 7, "exp_avg": torch.zeros(2, dtype=torch.float64)}}}],
        "state_dict": {f"vqvae.{name}": tensor for name, tensor in state.items()} | losses,
    }  # fmt: skip
    torch.save(saved | more, path)
    return state


def test_lightning_checkpoints_give_their_network_without_its_losses(tmp_path):
    state = lightning(tmp_path / "x.ckpt")
    convert(tmp_path / "x.ckpt", model(task="restore_faces", scale=1, format="lightning"), tmp_path / "x.safetensors")
    loaded = load_file(tmp_path / "x.safetensors")
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
    generator = load_face_restorer(tmp_path / "x.safetensors", model().sha256, fidelity=0.5)
    assert isinstance(generator.network, RestoreFormer)


def test_lightning_checkpoints_are_read_without_running_what_is_in_them(tmp_path):
    hidden = {"callbacks": {Trap: Trap(tmp_path / "sprung")}, "hyper_parameters": {"act": os.getcwd}}
    state = lightning(tmp_path / "x.ckpt", **hidden)
    convert(tmp_path / "x.ckpt", model(task="restore_faces", scale=1, format="lightning"), tmp_path / "x.safetensors")
    assert load_file(tmp_path / "x.safetensors").keys() == state.keys()
    assert not (tmp_path / "sprung").exists()
    torch.load(tmp_path / "x.ckpt", weights_only=False)
    assert (tmp_path / "sprung").exists(), "the file is harmless, the test proves nothing"


def test_a_trap_among_the_tensors_of_lightning_is_refused_and_not_sprung(tmp_path):
    lightning(tmp_path / "x.ckpt", state_dict={"vqvae.a": Trap(tmp_path / "sprung")})
    with pytest.raises(RestorationError, match="no checkpoint of Lightning: expected tensors"):
        convert(tmp_path / "x.ckpt", model(task="restore_faces", format="lightning"), tmp_path / "x.safetensors")
    assert not list(tmp_path.glob("*.safetensors")) and not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": {"vqvae.a": torch.zeros(2)}}, "no checkpoint of Lightning: expected tensors under `state_dict`"),
        ({"state_dict": {"vqvae.a": 1}}, "no checkpoint of Lightning: expected tensors"),
        ([1, 2], "no checkpoint of Lightning: expected tensors"),
        ({"state_dict": {"vqvae.a": torch.zeros(2)}}, "knows no network with these tensors"),
        ({"state_dict": {"loss.a": torch.zeros(2)}}, "knows no network with these tensors"),
        (b"<html>gone</html>", "is refused: it is no checkpoint"),
        (b"", "is refused: it is no checkpoint"),
    ],
)
def test_what_is_no_lightning_checkpoint_is_refused(tmp_path, content, message):
    source = tmp_path / "x.ckpt"
    source.write_bytes(content) if isinstance(content, bytes) else torch.save(content, source)
    with pytest.raises(RestorationError, match=rf"x\.ckpt.*{message}"):
        convert(source, model(task="restore_faces", scale=1, format="lightning"), tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def test_a_lightning_checkpoint_cut_off_is_refused(tmp_path):
    lightning(tmp_path / "x.ckpt")
    content = (tmp_path / "x.ckpt").read_bytes()
    (tmp_path / "x.ckpt").write_bytes(content[: len(content) // 2])
    with pytest.raises(RestorationError, match="is refused: it is no checkpoint"):
        convert(tmp_path / "x.ckpt", model(task="restore_faces", format="lightning"), tmp_path / "x.safetensors")


def test_lightning_tensors_that_are_missing_or_too_many_are_refused(tmp_path):
    state = lightning(tmp_path / "x.ckpt")
    names = {f"vqvae.{name}": tensor for name, tensor in state.items()}
    last = next(reversed(state))
    for changed, name in (
        (names | {"vqvae.more": torch.zeros(1)}, "more"),
        (names | {"lossless.more": torch.zeros(1)}, r"lossless\.more"),
        ({key: tensor for key, tensor in names.items() if key != f"vqvae.{last}"}, last),
    ):
        lightning(tmp_path / "x.ckpt", state_dict=changed)
        with pytest.raises(RestorationError, match=rf"(?s)the tensors do not fit their network: .*{name}"):
            convert(tmp_path / "x.ckpt", model(task="restore_faces", format="lightning"), tmp_path / "x.safetensors")
