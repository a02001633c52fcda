"""Whether the same person is told from another one: a stand-in for SFace whose features are the crop's own pixels."""

import numpy as np
import pytest
from skimage.data import astronaut

from onnx_writer import model as onnx_model
from onnx_writer import node, port
from restoration.errors import RestorationError
from restoration.faces.align import aligned, alignment
from restoration.faces.identity import Identity
from restoration.models.convert import convert
from restoration.models.registry import Model

SFACE = Model(id="sface", task="identify_faces", scale=1, licence="MIT", format="onnx", sha256="0" * 64, sources=())
LANDMARKS = np.array([[204, 104], [249, 107], [224, 134], [201, 147], [244, 149]], np.float32)


def pooling() -> bytes:
    """A network whose features are the picture in 8 by 8 pixels."""
    pool = node("AveragePool", ["data"], "small", kernel_shape=[14, 14], strides=[14, 14])
    flat = node("Flatten", ["small"], "fc1")
    return onnx_model([pool, flat], [], [port("data", [1, 3, 112, 112])], [port("fc1", [1, 192])])


@pytest.fixture(scope="module")
def identity(tmp_path_factory) -> Identity:
    folder = tmp_path_factory.mktemp("sface")
    (folder / "sface.onnx").write_bytes(pooling())
    convert(folder / "sface.onnx", SFACE, folder / "sface.safetensors")
    return Identity(folder / "sface.safetensors", SFACE.sha256)


def test_a_face_is_itself_and_a_little_less_in_other_light(identity):
    face = aligned(astronaut(), alignment(LANDMARKS))
    assert identity.distance(face, face) == pytest.approx(0, abs=1e-5)
    darker, other = (face // 2).astype(np.uint8), np.ascontiguousarray(face[::-1])
    assert identity.distance(face, darker) < 0.01 < identity.distance(face, other)
    assert identity.distance(face, other) == pytest.approx(identity.distance(other, face))


def test_it_looks_at_the_features_only(identity):
    face = aligned(astronaut(), alignment(LANDMARKS))
    framed = face.copy()
    framed[:20] = framed[-20:] = 0
    assert identity.distance(face, framed) == pytest.approx(0, abs=1e-5)


def test_files_of_other_networks_are_refused(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no network")
    with pytest.raises(RestorationError, match=r"x\.onnx: the tensors fit no face recogniser: no ONNX file of SFace"):
        convert(tmp_path / "x.onnx", SFACE, tmp_path / "y.safetensors")
