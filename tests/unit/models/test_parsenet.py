"""ParseNet: official names, strict weights, sizes. A trained network would need its file."""

import pytest
import torch

from restoration.errors import RestorationError
from restoration.models.load import build_parser
from restoration.models.parsenet import BODY, CLASSES, ParseNet, from_state

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return from_state(ParseNet().state_dict())


def test_ready_for_inference(network):
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_official_names_load_strictly(network):
    state = network.state_dict()
    names = {"encoder.0.conv2d.weight", "encoder.4.shortcut_func.conv2d.bias", "body.9.conv2.norm.norm.running_var",
             "decoder.3.conv1.conv2d.weight", "out_mask_conv.conv2d.weight", "out_img_conv.conv2d.bias"}  # fmt: skip
    assert names < state.keys() and f"body.{BODY}.conv1.conv2d.weight" not in state
    assert "encoder.0.norm.norm.weight" not in state and "body.0.conv1.conv2d.bias" not in state
    with pytest.raises(RestorationError, match=r"(?s)x\.pth: the tensors fit no face parser: .*more"):
        build_parser(state | {"more": torch.zeros(1)}, "x.pth")
    with pytest.raises(RestorationError, match=r"out_img_conv\.conv2d\.bias"):
        build_parser({name: tensor for name, tensor in state.items() if name != "out_img_conv.conv2d.bias"}, "x.pth")
    with pytest.raises(RestorationError, match=r"size mismatch for out_mask_conv\.conv2d\.bias"):
        build_parser(state | {"out_mask_conv.conv2d.bias": torch.zeros(11)}, "x.pth")


def test_what_is_loaded_is_what_was_stored(network):
    loaded = build_parser(network.state_dict(), "x.pth").state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("size", [(32, 32), (48, 96)])
def test_each_pixel_has_a_score_for_each_class(network, size):
    with torch.inference_mode():
        faces = torch.rand(2, 3, *size, generator=torch.manual_seed(1)) * 2 - 1
        scores = network(faces)
        assert scores.shape == (2, CLASSES, *size) and scores.isfinite().all()
        torch.testing.assert_close(network(faces[1:]), scores[1:], rtol=1e-4, atol=1e-5)


def test_the_layers_halve_and_double(network):
    shapes = {}
    hooks = [
        layer.register_forward_hook(lambda _, __, out, name=name: shapes.update({name: tuple(out.shape[1:])}))
        for name, layer in network.named_modules()
        if name.count(".") == 1 and name.split(".")[0] in ("encoder", "body", "decoder")
    ]
    with torch.inference_mode():
        network(torch.zeros(1, 3, 64, 32))
    for hook in hooks:
        hook.remove()
    assert [shapes[f"encoder.{n}"] for n in range(5)] == [
        (64, 64, 32), (128, 32, 16), (256, 16, 8), (256, 8, 4), (256, 4, 2),
    ]  # fmt: skip
    assert shapes["body.9"] == (256, 4, 2)
    assert [shapes[f"decoder.{n}"] for n in range(4)] == [(256, 8, 4), (256, 16, 8), (128, 32, 16), (64, 64, 32)]
