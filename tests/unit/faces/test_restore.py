"""Faces through networks: sizes, precision, memory, on networks small enough to know by heart."""

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from skimage.data import astronaut
from spandrel.architectures.Compact import Compact
from torch import nn

from restoration.errors import RestorationError
from restoration.faces import restore
from restoration.faces.align import aligned, alignment
from restoration.faces.restore import AlignedFace, FaceParser, FaceRestorer, resized
from restoration.models.convert import convert
from restoration.models.face_restorers import FaceGenerator
from restoration.models.parsenet import CLASSES
from restoration.models.registry import Model

pytestmark = pytest.mark.usefixtures("one_thread")

SHA256 = "ab" * 32
FACE = aligned(
    astronaut(), alignment(np.array([[205, 102], [247, 104], [225, 129], [202, 139], [245, 142]], np.float32))
)
MARK = 254
"""Value of the first pixel of faces that a network fails on."""


class Negative(nn.Module):
    """Turns pictures in [-1, 1] into their negatives, and notes what it was asked for; *most* faces fit at once."""

    def __init__(self, most=100, is_broken=lambda faces: False):
        super().__init__()
        self.most, self.is_broken = most, is_broken
        self.counts, self.exact, self.options = [], [], []

    def forward(self, faces, **options):
        self.counts.append(len(faces))
        self.exact.append(not torch.is_autocast_enabled("cpu"))
        self.options.append(options)
        assert faces.dtype == torch.float32 and faces.is_contiguous() and faces.shape[1:] == (3, 512, 512)
        assert faces.min() >= -1 and faces.max() <= 1
        if len(faces) > self.most:
            raise MemoryError("2 GiB wanted")
        result = -faces
        for face in result:
            if self.is_broken(face):
                face[1, 7, 7] = torch.nan
        return result, "codes"


def is_marked(face):
    return round(float(1 - face[0, 0, 0]) * 127.5) == MARK


def faces(count, marked=()):
    crops = [np.roll(FACE, 9 * number, axis=1) for number in range(count)]
    for number, crop in enumerate(crops):
        crop[0, 0] = MARK if number in marked else 90
    return [AlignedFace(1200 + number, crop, 100) for number, crop in enumerate(crops)]


@pytest.fixture
def restorer(monkeypatch):
    """Makes a restorer with such a network."""

    def make(network, precision="fp32", **options):
        monkeypatch.setattr(restore, "load_face_restorer", lambda *_, fidelity: FaceGenerator(network, **options))
        return FaceRestorer("x", SHA256, precision=precision)

    return make


def are_negatives(restored, sources):
    assert len(restored) == len(sources)
    for one, source in zip(restored, sources, strict=True):
        assert one.dtype == np.uint8
        np.testing.assert_array_equal(one, 255 - source.crop)


def test_generators_see_all_crops_at_once_and_as_they_are(restorer):
    network = Negative()
    are_negatives(restorer(network, weight=0.3).restored(faces(3)), faces(3))
    assert network.counts == [3] and network.options == [{"weight": 0.3}]


def test_no_faces(restorer):
    network = Negative()
    assert restorer(network).restored([]) == [] and network.counts == []


def test_one_by_one_where_memory_does_not_suffice(restorer):
    network = Negative(most=1)
    are_negatives(restorer(network).restored(faces(3)), faces(3))
    assert network.counts == [3, 1, 1, 1]


def test_a_single_face_that_does_not_fit_is_said(restorer):
    """The job says what to do about it."""
    with pytest.raises(MemoryError, match="2 GiB wanted"):
        restorer(Negative(most=0)).restored(faces(2))


def test_what_is_no_number_in_bf16_is_computed_again_exactly(knows_bf16, restorer):
    network = Negative(is_broken=lambda face: torch.is_autocast_enabled("cpu") and is_marked(face))
    are_negatives(restorer(network, "bf16").restored(faces(3, marked=[1])), faces(3, marked=[1]))
    # All at once, then each by itself, and only the broken one in fp32.
    assert network.counts == [3, 1, 1, 1, 1]
    assert network.exact == [False, False, False, True, False]


def test_fp32_is_exact_from_the_beginning(knows_bf16, restorer):
    network = Negative()
    restorer(network).restored(faces(1))
    restorer(network, "bf16").restored(faces(1))
    assert network.exact == [True, False]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_stays_no_number_names_the_frame(knows_bf16, restorer, precision):
    with pytest.raises(RestorationError, match=r"frame 1202: .*not a number, in fp32, too.*faces\.model"):
        restorer(Negative(is_broken=is_marked), precision).restored(faces(4, marked=[2, 3]))


def test_fidelity_is_passed_on(monkeypatch):
    told = []
    monkeypatch.setattr(restore, "load_face_restorer", lambda *a, **k: told.append((a, k)) or FaceGenerator(Negative()))
    FaceRestorer("weights", SHA256, fidelity=0.2)
    assert told == [(("weights", SHA256), {"fidelity": 0.2})]


@pytest.fixture(scope="module")
def enlarger(tmp_path_factory):
    """A restorer with a network that enlarges twice, of the nearest kind: its last convolution adds nothing."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(1)
    state = Compact(num_feat=4, num_conv=1, upscale=2).state_dict()
    state = {name: tensor * 0 if name.startswith("body.4") else tensor for name, tensor in state.items()}
    torch.save({"params": state}, folder / "x.pth")
    model = Model(id="x", task="upscale", scale=2, licence="MIT", format="pth", sha256=SHA256, sources=())
    convert(folder / "x.pth", model, folder / "x.safetensors")
    assert not load_file(folder / "x.safetensors")["body.4.weight"].any()
    return FaceRestorer(folder / "x.safetensors", SHA256)


def test_networks_of_super_resolution_see_faces_as_large_as_the_source_has_them(enlarger, monkeypatch):
    seen, engine = [], enlarger.engine
    monkeypatch.setattr(enlarger, "engine", lambda frames, **options: seen.append(frames.shape) or engine(frames))
    sources = [AlignedFace(0, FACE, edge) for edge in (100, 36, 256)]
    restored = enlarger.restored(sources)
    assert seen == [(1, edge, edge, 3) for edge in (100, 36, 256)]
    for face, result in zip(sources, restored, strict=True):
        assert result.shape == FACE.shape
        small = cv2.resize(FACE, (face.edge, face.edge), interpolation=cv2.INTER_AREA)
        doubled = small.repeat(2, axis=0).repeat(2, axis=1)
        expected = cv2.resize(doubled, (512, 512), interpolation=cv2.INTER_CUBIC) if face.edge < 256 else doubled
        assert np.abs(result.astype(int) - expected).max() <= 1


def test_what_is_no_number_is_found_where_networks_enlarge_too(enlarger, monkeypatch):
    exactness = []

    def engine(frames, *, exact=False):
        exactness.append(exact)
        raise FloatingPointError([0])

    monkeypatch.setattr(enlarger, "engine", engine)
    with pytest.raises(RestorationError, match="frame 7: "):
        enlarger.restored([AlignedFace(7, FACE, 100)])
    assert exactness == [False, True]


def test_resized():
    assert resized(FACE, 512) is FACE
    flat = np.kron(np.arange(4, dtype=np.uint8)[:, None, None] * 60, np.ones((16, 64, 3), np.uint8))
    np.testing.assert_array_equal(resized(flat, 4)[..., 0], np.arange(4)[:, None].repeat(4, axis=1) * 60)
    # Larger means smooth, smaller means averaged.
    assert len(np.unique(resized(flat, 256))) > 20
    assert (resized(np.tile(np.uint8([[0, 0, 0], [200, 200, 200]]), (64, 32, 1)), 32) == 100).all()


class Parts(nn.Module):
    """Says which class each pixel is by its red: 10 times the class; *most* faces fit at once."""

    def __init__(self, most=100):
        super().__init__()
        self.most, self.counts = most, []

    def forward(self, faces):
        self.counts.append(len(faces))
        if len(faces) > self.most:
            raise MemoryError("2 GiB wanted")
        assert faces.min() >= -1 and faces.max() <= 1
        classes = ((faces[:, 0] + 1) * 127.5 / 10).round()
        return -(classes[:, None] - torch.arange(CLASSES)[:, None, None]).abs()


@pytest.fixture
def parser(monkeypatch):
    def make(network):
        monkeypatch.setattr(restore, "load_parser", lambda *_: network)
        return FaceParser("x", SHA256)

    return make


def parts(left, right):
    """A face of two classes."""
    picture = np.zeros((512, 512, 3), np.uint8)
    picture[:, :256, 0], picture[:, 256:, 0] = 10 * left, 10 * right
    return picture


def test_every_class_is_face_or_not(parser):
    told = parser(Parts())
    masks = [told.masks(parts(kind, kind)[None])[0] for kind in range(CLASSES)]
    # Background, neck with its necklace and clothes, hair and hat are not.
    assert [kind for kind, mask in enumerate(masks) if not mask.any()] == [0, 14, 16, 17, 18]
    assert all(mask[256, 256] == pytest.approx(1) for mask in masks if mask.any())


def test_masks_are_soft_and_end_before_the_border(parser):
    (mask,) = parser(Parts()).masks(parts(1, 0)[None])
    assert (mask.shape, mask.dtype) == ((512, 512), np.float32)
    assert mask.min() == 0 and mask.max() <= 1 + 1e-6
    # Half of it at the seam, all of it further in, and no step in between.
    assert mask[200, 255:257].mean() == pytest.approx(0.5, abs=0.01)
    # Blurred twice by 11 pixels: at that times the root of 2 from the seam, as a normal distribution has it.
    assert mask[200, 240] == pytest.approx(0.84, abs=0.01)
    assert mask[200, 190] > 0.99 and mask[200, 320] < 0.01 and np.abs(np.diff(mask[200, 20:])).max() < 0.04
    border = np.ones((512, 512), bool)
    border[10:-10, 10:-10] = False
    assert not mask[border].any() and mask[10, 10] > 0.9


def test_masks_of_several_faces_are_those_of_each(parser):
    pictures = np.stack([parts(1, 0), parts(0, 1), parts(2, 17)])
    together, network = parser(Parts()).masks(pictures), Parts(most=1)
    alone = parser(network).masks(pictures)
    np.testing.assert_array_equal(together, alone)
    # Where memory does not suffice for all, one by one, as generators do it.
    assert network.counts == [3, 1, 1, 1]
    np.testing.assert_allclose(together[1], together[0][:, ::-1], atol=1e-6)
    with pytest.raises(MemoryError):
        parser(Parts(most=0)).masks(pictures)
