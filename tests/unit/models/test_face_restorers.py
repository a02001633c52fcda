"""Generators of faces: told apart by their tensors, loaded strictly, the same twice. On small networks where there are.

Trained networks would need their files; what seeded ones give is compared with the original in the parity tests.
"""

import warnings
from types import SimpleNamespace

import pytest
import torch
from spandrel.architectures.Compact import Compact
from spandrel.architectures.GFPGAN import GFPGAN, GFPGANArch
from spandrel.architectures.RestoreFormer import RestoreFormer
from torch import nn

from restoration.errors import RestorationError
from restoration.models.face_restorers import FaceGenerator, RestoreFormerPlusPlus, from_state
from restoration.models.load import Upscaling, build_face_restorer

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # PyTorch warns of what CodeFormer uses
    from spandrel_extra_arches.architectures.CodeFormer import CodeFormer

pytestmark = pytest.mark.usefixtures("one_thread")

OFFICIAL = {
    "GFPGAN": (GFPGAN, {"return_rgb": False, "randomize_noise": False}),
    "RestoreFormer": (RestoreFormer, {}),
    "RestoreFormer++": (RestoreFormerPlusPlus, {}),
    "CodeFormer": (CodeFormer, {"weight": 0.3}),
}
"""Networks as they are published, and what their call needs beside the picture."""
TELLTALE = {
    "GFPGAN": "toRGB.0.weight",
    "RestoreFormer": "quantize.embedding.weight",
    "RestoreFormer++": "decoder.up.4.attn.0.q.weight",
    "CodeFormer": "idx_pred_layer.1.weight",
}
"""Tensors by which they are told from others."""


@pytest.fixture(params=OFFICIAL)
def official(request):
    """A network's name and its official state dict, in full size but without numbers, which would take seconds."""
    family, _ = OFFICIAL[request.param]
    with torch.device("meta"):
        yield request.param, family().state_dict()


def test_official_layouts_are_recognised_and_ready_for_inference(official):
    name, state = official
    family, options = OFFICIAL[name]
    generator = from_state({key: tensor.half() for key, tensor in state.items()}, 0.3)
    assert type(generator) is FaceGenerator and type(generator.network) is family
    assert generator.options == options
    assert not any(module.training for module in generator.modules())
    assert not any(parameter.requires_grad for parameter in generator.parameters())
    assert {tensor.dtype for tensor in generator.parameters()} == {torch.float32}
    assert generator.network.state_dict().keys() == state.keys()
    assert type(build_face_restorer(state, "x", fidelity=0.3)) is FaceGenerator


@pytest.mark.parametrize("which", ["first", "middle", "last", "telltale"])
def test_a_missing_tensor_is_refused(official, which):
    name, state = official
    keys = list(state)
    missing = {"first": keys[0], "middle": keys[len(keys) // 2], "last": keys[-1], "telltale": TELLTALE[name]}[which]
    with pytest.raises(RestorationError, match=r"^x\.pth: ") as caught:
        build_face_restorer({key: tensor for key, tensor in state.items() if key != missing}, "x.pth")
    # Without what it is told by, it is taken for another network, or for none.
    assert which not in ("middle", "last") or missing in str(caught.value)


def test_an_additional_tensor_is_refused_by_name(official):
    _, state = official
    with pytest.raises(RestorationError, match=r"(?s)^x\.pth: the tensors do not fit their network: .*one\.more"):
        build_face_restorer(state | {"one.more": torch.zeros(1)}, "x.pth")


def test_a_tensor_of_another_shape_is_refused_by_name(official):
    _, state = official
    name = next(reversed(state))
    with pytest.raises(RestorationError, match=rf"(?s)^x\.pth: the tensors do not fit their network: .*{name}"):
        build_face_restorer(state | {name: torch.zeros(3, 5)}, "x.pth")


def test_other_tensors_belong_to_no_generator():
    assert from_state({}, 0.5) is None and from_state({"a": torch.zeros(1)}, 0.5) is None
    with pytest.raises(RestorationError, match=r"x\.pth: spandrel knows no network"):
        build_face_restorer({"a": torch.zeros(1)}, "x.pth")
    enlarger = Compact(num_feat=4, num_conv=1, upscale=2).state_dict()
    assert from_state(enlarger, 0.5) is None
    assert isinstance(build_face_restorer(enlarger, "x.pth"), Upscaling)


def faces(count=2, edge=64):
    return torch.rand(count, 3, edge, edge, generator=torch.Generator().manual_seed(7))


def steady(generator, pictures):
    """What *generator* makes of *pictures*; twice the same, whatever the seed, and one by one within 1/255."""
    with torch.inference_mode():
        torch.manual_seed(1)
        result = generator(pictures)
        torch.manual_seed(2)
        assert torch.equal(generator(pictures), result)
        assert torch.equal(generator(pictures.to(memory_format=torch.channels_last)), result)
        alone = torch.cat([generator(picture[None]) for picture in pictures])
    assert result.std() > 0.01 and result[0].sub(result[1]).abs().max() > 0.01
    assert (alone - result).abs().max() < 1 / 255
    return result


def test_generators_work_between_0_and_1():
    seen = []

    class Network(nn.Module):
        def forward(self, picture, **options):
            seen.append((picture, options))
            return picture / 2, "codes"

    generator = FaceGenerator(Network(), weight=0.7)
    pictures = torch.tensor([0, 0.5, 1]).expand(1, 3, 2, 3)
    torch.testing.assert_close(generator(pictures), torch.tensor([0.25, 0.5, 0.75]).expand(1, 3, 2, 3))
    assert seen[0][0][0, 0, 0].tolist() == [-1, 0, 1] and seen[0][1] == {"weight": 0.7}


@pytest.fixture
def small_gfpgan(monkeypatch):
    """GFPGAN for faces of 32 pixels, by its official names, with noise that shows."""
    torch.manual_seed(3)
    options = {"out_size": 32, "num_style_feat": 8, "num_mlp": 1, "channel_multiplier": 1, "narrow": 1 / 16}
    network = GFPGAN(**options)
    for name, tensor in network.state_dict().items():
        # How much of the noise is taken: 0 before any training.
        if name.startswith("stylegan_decoder.style_conv") and tensor.numel() == 1:
            tensor.fill_(0.5)

    def load(_, state):
        network = GFPGAN(**options)
        network.load_state_dict(state)
        return SimpleNamespace(model=network)

    monkeypatch.setattr(GFPGANArch, "load", load)
    return network.state_dict()


def test_gfpgan_takes_the_noise_that_is_stored(small_gfpgan):
    generator = from_state(small_gfpgan, 0.5)
    result = steady(generator, faces(edge=32))
    # Other stored noise is another face; fresh noise would be another one at each call.
    stored = "stylegan_decoder.noises.noise6"
    other = from_state(small_gfpgan | {stored: -small_gfpgan[stored]}, 0.5)
    with torch.inference_mode():
        assert (other(faces(edge=32)) - result).abs().max() > 0.01
        generator.options["randomize_noise"] = True
        fresh = [generator(faces(edge=32)) for _ in range(2)]
    assert (fresh[0] - fresh[1]).abs().max() > 0.01


def test_restoreformer():
    torch.manual_seed(3)
    network = RestoreFormer(n_embed=8, embed_dim=32, ch=32, ch_mult=(1,) * 6, num_res_blocks=1, z_channels=32).eval()
    generator = from_state(network.state_dict(), 0.5)
    assert generator.network.encoder.mid.attn_1.head_size == 8
    result = steady(generator, faces())
    with torch.inference_mode():
        torch.testing.assert_close(result, (network(faces() * 2 - 1)[0] + 1) / 2)


def test_restoreformer_plus_plus_attends_to_the_encoder_at_two_sizes():
    torch.manual_seed(3)
    state = RestoreFormerPlusPlus().state_dict()
    generator = from_state(state, 0.5)
    network = generator.network
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in state.items())
    assert network.encoder.mid.attn_1.head_size == network.decoder.up[4].attn[0].head_size == 4
    assert [len(level.attn) for level in network.decoder.up] == [0, 0, 0, 0, 3, 3]
    seen = {}
    for name, level in ("32", network.encoder.down[4].block[-1]), ("16", network.encoder.mid.block_1):
        level.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    for name, level in ("attended at 32", network.decoder.up[4]), ("attended at 16", network.decoder.up[5]):
        level.attn[2].register_forward_pre_hook(lambda _, args, name=name: seen.update({name: args[1]}))
    steady(generator, faces())
    assert torch.equal(seen["attended at 32"], seen["32"]) and torch.equal(seen["attended at 16"], seen["16"])


def test_fidelity_says_how_much_codeformer_takes_from_the_source():
    torch.manual_seed(3)
    state = CodeFormer(dim_embd=16, n_layers=1, codebook_size=16, connect_list=["32"]).state_dict()
    last = nn.Conv2d(256, 3, 1)
    results = []
    for fidelity in (0, 0.5, 1):
        generator = build_face_restorer(state, "x", fidelity=fidelity)
        blocks = generator.network.encoder.blocks
        # What takes seconds and knows nothing of fidelity is left out: blocks of the encoder that keep the size, and
        # all of the generator's after number 9, where features of the source come in.
        for number, block in enumerate(blocks):
            if getattr(block, "in_channels", 0) == getattr(block, "out_channels", 1):
                blocks[number] = nn.Identity()
        generator.network.generator.blocks = generator.network.generator.blocks[:10].append(last)
        with torch.inference_mode():
            results.append(generator(faces(1, 512)))
    apart = [(result - results[0]).abs().max() for result in results]
    assert 0 == apart[0] < 0.01 < apart[1] < apart[2]
