"""Networks for old photographs: what the original answers, and nothing but their own tensors."""

import pytest
import torch

import old_photos as cases
from restoration.errors import RestorationError
from restoration.models import old_photos, scratch_finder, spade
from restoration.models.convert import convert
from restoration.models.face_restorers import FACE_EDGE, FaceGenerator
from restoration.models.load import build_autoencoder, build_face_restorer, build_finder, build_mapping, read
from restoration.models.registry import Model

EDGE = {spade.EDGE: torch.tensor(cases.FACE)}
BUILDERS = {
    "autoencoder": build_autoencoder,
    "quality": build_mapping,
    "scratches": build_mapping,
    "large": build_mapping,
    "finder": build_finder,
    "faces": build_face_restorer,
}


@pytest.fixture(scope="module")
def golden():
    return cases.golden()


@pytest.fixture(scope="module")
def autoencoder():
    return old_photos.autoencoder_from_state(cases.state("autoencoder"))


def assert_like(values, expected):
    torch.testing.assert_close(torch.tensor(cases.sampled(values)), torch.tensor(expected), atol=1e-3, rtol=1e-3)


def test_autoencoder(autoencoder, golden):
    features = autoencoder.encoder(cases.shown(48, 64))
    assert_like(features, golden["encoder"])
    assert_like(autoencoder.decoder(features), golden["decoder"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("quality", old_photos.Fading), ("scratches", old_photos.Scratches), ("large", old_photos.LargeScratches)],
)
def test_mappings(autoencoder, golden, name, kind):
    network, size = build_mapping(cases.state(name), "x"), cases.SIZES[name]
    assert isinstance(network, kind) and network.takes_mask == (name != "quality")
    features = autoencoder.encoder(cases.shown(*size))
    assert_like(network(features, *[cases.mask(*size)] * network.takes_mask), golden[name])


def test_finder(golden):
    network = scratch_finder.from_state(cases.state("finder"), cases.SHORT_SIDE)
    assert_like(network(cases.shown(60, 100, 1)), golden["finder"])
    for size in ((1, 40), (33, 57)):
        assert network(cases.shown(*size, 1)).shape == (1, 1, *size)


@pytest.mark.parametrize(
    ("short_side", "size", "seen"),
    [
        (256, (60, 100), (256, 432)),
        (256, (720, 1280), (256, 448)),
        (64, (60, 100), (64, 112)),
        (0, (60, 100), (64, 96)),
        (0, (9, 20), (32, 32)),
        (256, (1, 640), (32, 5120)),
    ],
)
def test_scratches_are_looked_for_at_a_size(short_side, size, seen):
    class SeenError(Exception):
        pass

    def stop(layer, inputs):
        raise SeenError(*inputs[0].shape[2:])

    network = scratch_finder.ScratchFinder(short_side)
    network.first.register_forward_pre_hook(stop)
    with pytest.raises(SeenError) as stopped:
        network(torch.zeros(1, 1, *size))
    assert stopped.value.args == seen


def test_faces(golden):
    network = build_face_restorer(cases.state("faces") | EDGE, "x")
    assert isinstance(network, FaceGenerator)
    assert_like(network.network(cases.shown(cases.FACE, cases.FACE))[0], golden["faces"])
    # The contract: aligned faces in [0, 1], which it sees small.
    faces = torch.rand(1, 3, FACE_EDGE, FACE_EDGE, generator=torch.Generator().manual_seed(1))
    restored = network(faces)
    assert restored.shape == faces.shape and restored.min() > -0.1 and restored.max() < 1.1
    small = torch.nn.functional.avg_pool2d(faces * 2 - 1, FACE_EDGE // cases.FACE)
    (painted,) = network.network(small)
    again = torch.nn.functional.interpolate(painted, FACE_EDGE, mode="bicubic") / 2 + 0.5
    torch.testing.assert_close(restored, again, atol=1e-4, rtol=0)


def test_attention_is_the_same_in_parts(monkeypatch):
    torch.manual_seed(1)
    network, features = old_photos.PartialNonLocal().eval(), torch.randn(2, 512, 6, 7)
    mask = cases.mask(24, 28).repeat(2, 1, 1, 1)
    with torch.no_grad():
        whole = network(features, mask)
        monkeypatch.setattr(old_photos, "QUERIES", 5)
        torch.testing.assert_close(network(features, mask), whole, atol=1e-4, rtol=0)
        assert torch.isfinite(network(features, torch.ones_like(mask))).all()
    # What is whole stays; not so a place that is scratched between its pixels, or at the first of them.
    size = features.shape[2:]
    lost = (old_photos.scratched(mask, size) + torch.nn.functional.interpolate(mask, size) > 0).expand_as(features)
    assert 0.1 < lost.float().mean() < 0.9
    assert torch.equal(whole[~lost], features[~lost]) and not (whole[lost] == features[lost]).any()


def test_lost_patches_become_the_most_similar_of_the_others():
    patches = torch.tensor([[1.0, 0.0, 0.9, 3.0], [0.0, 2.0, 0.1, 0.0]])
    lost = torch.tensor([False, False, True, False])
    replaced = old_photos._replaced(patches, lost)
    assert replaced[:, 2].tolist() == [1, 0] and torch.equal(replaced[:, ~lost], patches[:, ~lost])
    for all_or_none in (torch.zeros(4, dtype=torch.bool), torch.ones(4, dtype=torch.bool)):
        assert torch.equal(old_photos._replaced(patches, all_or_none), patches)


@pytest.mark.parametrize("name", cases.NETWORKS)
def test_only_its_own_tensors_are_taken(name):
    # What is in them matters not.
    state = {key: torch.zeros(()).expand(tensor.shape) for key, tensor in cases.shapes(name).items()}
    victim = next(key for key in reversed(list(state)) if key.endswith("bias"))
    for wrong in (
        {key: tensor for key, tensor in state.items() if key != victim},
        state | {"surplus.weight": torch.zeros(1)},
        state | {victim: torch.zeros(7)},
    ):
        at_fault = "surplus.weight" if "surplus.weight" in wrong else victim
        with pytest.raises(RestorationError, match=rf"(?s)a file: the tensors .*{at_fault}"):
            BUILDERS[name](wrong, "a file")


def model(task, **more):
    return Model(
        id="a", task=task, scale=1, licence="MIT", format="pth", sha256=cases.SHA256, sources=(), **more
    )  # fmt: skip


def test_what_training_left_beside_the_finder_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch_finder, "DEPTHS", (4, 8, 8, 8, 8))
    state = scratch_finder.ScratchFinder().state_dict()
    torch.save({"model_state": state, "optimizer": {"lr": 1.0}, "epoch": 3}, tmp_path / "a.pth")
    convert(tmp_path / "a.pth", model("find_scratches"), tmp_path / "a.safetensors")
    assert read(tmp_path / "a.safetensors", cases.SHA256).keys() == state.keys()


def test_a_file_for_another_task_is_refused(tmp_path):
    torch.save(cases.state("autoencoder"), tmp_path / "a.pth")
    with pytest.raises(RestorationError, match="the tensors fit no network that retouches"):
        convert(tmp_path / "a.pth", model("retouch"), tmp_path / "a.safetensors")
    assert not (tmp_path / "a.safetensors").exists()


@pytest.mark.parametrize(("said", "edge"), [({}, 256), ({"name": "SPADEGenerator", "edge": 512}, 512)])
def test_the_registry_says_how_large_a_face_is(tmp_path, monkeypatch, said, edge):
    # As a small one would do: only its tensors count.
    monkeypatch.setattr(spade, "DEPTHS", dict.fromkeys(spade.DEPTHS, 8))
    small = {**spade.FacePainter(edge).state_dict(), spade.OWN: torch.zeros(1)}
    del small[spade.OWN]
    torch.save(small, tmp_path / "a.pth")
    monkeypatch.setattr(spade, "OWN", "up_0.norm_0.mlp_gamma.weight")
    convert(tmp_path / "a.pth", model("restore_faces", architecture=said), tmp_path / "a.safetensors")
    network = build_face_restorer(read(tmp_path / "a.safetensors", cases.SHA256), "x")
    assert network.network.edge == edge
