"""Converted weights are used only as they were converted."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN

from restoration.errors import RestorationError
from restoration.models.convert import convert, official_name
from restoration.models.load import build, content_sha256, load
from restoration.models.registry import Model

SHA256 = "ab" * 32


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(1)
    torch.save({"params": Compact(num_feat=4, num_conv=1, upscale=2).state_dict()}, tmp_path / "x.pth")
    model = Model(id="x", task="upscale", scale=2, licence="MIT", format="pth", bytes=1, sha256=SHA256, sources=())
    convert(tmp_path / "x.pth", model, tmp_path / "x.safetensors")
    return tmp_path / "x.safetensors"


def test_ready_for_inference(weights):
    model = load(weights, SHA256)
    assert (model.scale, model.multiple, model.step) == (2, 1, 1)
    assert {(tensor.dtype, tensor.device.type) for tensor in model.network.parameters()} == {(torch.float32, "cpu")}
    assert not model.network.training
    assert not any(parameter.requires_grad for parameter in model.network.parameters())


def test_one_flipped_bit_anywhere_is_refused(weights):
    good = weights.read_bytes()
    # The header ends in padding, where a tab is as good as a space.
    end = 8 + int.from_bytes(good[:8], "little")
    padding = range(8 + len(good[8:end].rstrip()), end)
    for position in (*range(0, end, 7), *range(end, len(good), 53), len(good) - 1):
        if position in padding:
            continue
        weights.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises(RestorationError, match=r"x\.safetensors.*delete it; `snakemake weights` makes it anew"):
            load(weights, SHA256)
    weights.write_bytes(good)
    load(weights, SHA256)


def test_truncation_is_refused(weights):
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(RestorationError, match="is damaged"):
        load(weights, SHA256)


def test_weights_of_another_source_are_refused(weights):
    with pytest.raises(RestorationError, match=f"source_sha256 is {SHA256}, expected {'cd' * 32}"):
        load(weights, "cd" * 32)


def test_a_file_that_we_did_not_write_is_refused(weights):
    save_file(load_file(weights), weights)
    with pytest.raises(RestorationError, match="source_sha256 is None"):
        load(weights, SHA256)


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(RestorationError, match="snakemake weights"):
        load(tmp_path / "x.safetensors", SHA256)


@pytest.mark.parametrize(
    "other",
    [
        {"b": torch.tensor([1.0, 2.0])},
        {"a": torch.tensor([[1.0], [2.0]])},
        {"a": torch.tensor([1.0, -2.0])},
        {"a": torch.tensor([1.0, 2.0]).view(torch.int32)},
        {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([])},
    ],
    ids=["name", "shape", "value", "dtype", "more"],
)
def test_content_hash_covers(other):
    assert content_sha256(other) != content_sha256({"a": torch.tensor([1.0, 2.0])})


def test_content_hash_ignores_order():
    a, b = torch.zeros(1), torch.ones(1)
    assert content_sha256({"a": a, "b": b}) == content_sha256({"b": b, "a": a})


def test_no_tensor_is_dropped():
    network = ESRGAN(num_blocks=2, num_filters=8)
    state = {official_name(key): tensor for key, tensor in network.state_dict().items()}
    build(state, "x")
    with pytest.raises(RestorationError, match=f"{len(state) + 1} tensors, of which ESRGAN uses {len(state)}"):
        build(state | {"more": torch.zeros(1)}, "x")
