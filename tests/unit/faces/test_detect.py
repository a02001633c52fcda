"""One contract for every detector, and MTCNN on faces of all kinds."""

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import skimage.data
import torch
import yaml
from safetensors.torch import load_file, save_file

from onnx_writer import model as onnx_model
from onnx_writer import node, port, spot_finder
from restoration.errors import RestorationError
from restoration.faces.detect import Detector, Face
from restoration.models.convert import convert
from restoration.models.load import build_detector
from restoration.models.mtcnn import MTCNN
from restoration.models.registry import load_registry
from restoration.models.retinaface import RetinaFace
from restoration.models.yunet import YuNet

ROOT = Path(__file__).parents[3]
REGISTRY = load_registry(ROOT / "config/models.yaml")
LANDMARKS = [[205, 102], [247, 104], [225, 129], [202, 139], [245, 142]]
"""Of the astronaut, whose box is 181, 62, 268, 172; looked at."""


class Network(NamedTuple):
    """Converted weights, what they are, a frame with several faces in the network's eyes, and a score for them."""

    weights: Path
    sha256: str
    family: type
    frame: np.ndarray
    min_score: float


def mtcnn(folder: Path) -> Network:
    model = REGISTRY["mtcnn"]
    convert(ROOT / model.sources[0]["file"], model, folder / "a.safetensors")
    return Network(folder / "a.safetensors", model.sha256, MTCNN, ten_faces(), 0.9)


def to_unit_deviation(head: torch.nn.Module, _, out: torch.Tensor) -> None:
    head.conv1x1.weight.div_(out.std())


def retinaface(folder: Path) -> Network:
    """With weights that mean nothing, so that its "faces" are anywhere."""
    torch.manual_seed(5)
    model, network = REGISTRY["retinaface-resnet50"], RetinaFace().eval().requires_grad_(False)
    frame = skimage.data.astronaut()[:96, 180:300]
    picture = torch.from_numpy(frame[..., ::-1] - np.float32((104, 117, 123))).permute(2, 0, 1)[None]
    # Untrained heads say numbers so large that all scores are 0 or 1.
    for head in (*network.ClassHead, *network.BboxHead, *network.LandmarkHead):
        head.register_forward_hook(to_unit_deviation)
    network(picture)
    torch.save({f"module.{name}": tensor for name, tensor in network.state_dict().items()}, folder / "a.pth")
    convert(folder / "a.pth", model, folder / "a.safetensors")
    return Network(folder / "a.safetensors", model.sha256, RetinaFace, frame, 0.7)


def yunet(folder: Path) -> Network:
    """With a graph that takes red spots for faces."""
    model, frame = REGISTRY["yunet"], np.zeros((80, 100, 3), np.uint8)
    frame[32:48, 64:80, 0], frame[0:16, 0:16, 0], frame[64:80, 0:16, 2] = 200, 255, 255
    (folder / "a.onnx").write_bytes(spot_finder())
    convert(folder / "a.onnx", model, folder / "a.safetensors")
    return Network(folder / "a.safetensors", model.sha256, YuNet, frame, 0.7)


@pytest.fixture(scope="module", params=[mtcnn, retinaface, yunet], ids=lambda make: make.__name__)
def network(request, tmp_path_factory) -> Network:
    return request.param(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Network:
    return mtcnn(tmp_path_factory.mktemp("weights"))


def ten_faces() -> np.ndarray:
    return np.tile(skimage.data.astronaut()[40:200:2, 136:316:2], (2, 5, 1))


def astronaut(height: float, canvas: int) -> np.ndarray:
    """The astronaut with a face *height* pixels high, on gray."""
    picture = cv2.resize(skimage.data.astronaut(), None, fx=height / 110, fy=height / 110, interpolation=cv2.INTER_AREA)
    frame = np.full((canvas, canvas, 3), 120, np.uint8)
    frame[5 : 5 + len(picture), 5 : 5 + len(picture)] = picture
    return frame


def detect(network: Network, *frames: np.ndarray, min_size: float = 20, **changes: float) -> list[list[Face]]:
    min_score = changes.get("min_score", network.min_score)
    return Detector(network.weights, network.sha256, min_score=min_score, min_size=min_size).detect(np.stack(frames))


def values(faces: list[Face]) -> list[tuple]:
    return [(face.box, face.score, face.landmarks.tolist()) for face in faces]


def test_the_tensors_tell_the_family(network):
    assert isinstance(build_detector(load_file(network.weights), "a"), network.family)


def test_faces_are_plain_sorted_and_above_the_thresholds(network):
    faces = detect(network, network.frame)[0]
    assert len(faces) >= 2
    assert [face.box for face in faces] == sorted(face.box for face in faces)
    for face in faces:
        assert all(type(value) is float for value in (*face.box, face.score))
        assert (face.landmarks.shape, face.landmarks.dtype) == ((5, 2), np.float32)
        assert network.min_score < face.score <= 1
        assert face.box[0] < face.box[2] and face.box[3] - face.box[1] >= 20
    with pytest.raises(FrozenInstanceError):
        faces[0].score = 0


def test_the_same_twice_and_whatever_else_is_in_the_batch(network):
    alone = detect(network, network.frame)[0]
    batch = detect(network, network.frame[::-1, ::-1], network.frame, network.frame * 0)
    assert values(batch[1]) == values(alone)
    assert len(batch) == 3 and values(batch[0]) != values(alone)


def test_smaller_faces_are_dropped(network):
    faces = detect(network, network.frame)[0]
    heights = sorted(face.box[3] - face.box[1] for face in faces)
    kept = detect(network, network.frame, min_size=heights[-1] + 1)[0]
    assert kept == []


def test_weights_of_another_file_are_refused(network):
    with pytest.raises(RestorationError, match="source_sha256"):
        detect(network._replace(sha256="0" * 64), network.frame)


@pytest.mark.parametrize("state", [{"body.conv1.weight": torch.zeros(2)}, {"onet.conv1.weight": torch.zeros(2)}])
def test_tensors_of_no_detector_are_refused(tmp_path, state):
    save_file(state, tmp_path / "x.safetensors")
    with pytest.raises(RestorationError, match=r"x\.safetensors: the tensors fit no face detector"):
        convert(tmp_path / "x.safetensors", REGISTRY["mtcnn"], tmp_path / "y.safetensors")
    assert not (tmp_path / "y.safetensors").exists()


OTHER_GRAPH = onnx_model([node("Relu", ["input"], "out")], [], [port("input", [1, 3, "h", "w"])], [port("out", [1])])


@pytest.mark.parametrize("content", [b"", b"<html>gone</html>", spot_finder()[:999], OTHER_GRAPH])
def test_files_of_no_onnx_detector_are_refused(tmp_path, content):
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(RestorationError, match=r"x\.onnx: the tensors fit no face detector: no ONNX file of YuNet"):
        convert(tmp_path / "x.onnx", REGISTRY["yunet"], tmp_path / "y.safetensors")


def test_an_onnx_file_is_kept_byte_by_byte(tmp_path):
    found = load_file(yunet(tmp_path).weights)["onnx"]
    assert found.numpy().tobytes() == spot_finder()


def test_yunets_numbers_mean_what_opencv_says(tmp_path):
    network = yunet(tmp_path)
    first, second = detect(network, network.frame)[0]
    assert first.box == pytest.approx((8 - 16, 8 - 24, 8 + 16, 8 + 24))
    assert second.box == pytest.approx((72 - 16, 40 - 24, 72 + 16, 40 + 24))
    assert (first.score, second.score) == pytest.approx((1, 200 / 255), abs=1e-4)
    np.testing.assert_allclose(second.landmarks, 16 * np.arange(10).reshape(5, 2) / 10 + [64, 32], rtol=1e-6)
    assert len(detect(network, network.frame, min_score=0.9)[0]) == 1
    # Frames of another size, through the same network.
    detector = Detector(network.weights, network.sha256, min_score=0.7, min_size=20)
    sizes = [network.frame, network.frame[:33, :20], network.frame]
    assert [len(detector.detect(frame[None])[0]) for frame in sizes] == [2, 1, 2]


def test_ten_faces(weights):
    faces = detect(weights, ten_faces())[0]
    assert len(faces) == 10
    cells = {(int(face.landmarks[2, 0] // 90), int(face.landmarks[2, 1] // 80)) for face in faces}
    assert cells == {(column, row) for column in range(5) for row in range(2)}


def test_left_and_right_are_the_pictures(weights):
    eye, other_eye, nose, mouth, other_mouth = detect(weights, skimage.data.astronaut())[0][0].landmarks
    assert eye[0] < nose[0] < other_eye[0] and mouth[0] < nose[0] < other_mouth[0]
    assert max(eye[1], other_eye[1]) < nose[1] < min(mouth[1], other_mouth[1])


@pytest.mark.parametrize(("top", "left"), [(0, 200), (80, 0)])
def test_a_face_cut_by_the_border_reaches_over_it(weights, top, left):
    (face,) = detect(weights, np.ascontiguousarray(skimage.data.astronaut()[top:, left:]))[0]
    np.testing.assert_allclose(face.box, np.subtract([181, 62, 268, 172], [left, top, left, top]), atol=8)
    # Even an eye beyond the border is guessed well.
    np.testing.assert_allclose(face.landmarks, np.subtract(LANDMARKS, [left, top]), atol=8)


@pytest.mark.parametrize("picture", ["coffee", "chelsea", "rocket"])
def test_no_face(weights, picture):
    assert detect(weights, getattr(skimage.data, picture)()) == [[]]


def test_small_faces_are_found_where_they_are_asked_for(weights):
    small = astronaut(16, 160)
    (face,) = detect(weights, small, min_size=12)[0]
    assert 12 <= face.box[3] - face.box[1] < 18
    assert detect(weights, small, min_size=20) == [[]]
    # 12 pixels are as few as P-Net sees: a guess with a low score, or none.
    assert len(detect(weights, astronaut(12, 160), min_size=1, min_score=0.7)[0]) <= 1


def test_the_defaults_leave_faces_of_12_pixels_alone(weights):
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    options = {name: about.get("default") for name, about in schema["$defs"]["faces"]["properties"].items()}
    thresholds = {name: options[name] for name in ("min_score", "min_size")}
    assert detect(weights, astronaut(12, 160), **thresholds) == [[]]
    assert len(detect(weights, astronaut(40, 220), **thresholds)[0]) == 1


def test_a_face_of_any_size_is_the_same_face(weights):
    for height, canvas in ((40, 220), (110, 530)):
        scale = height / 110
        (face,) = detect(weights, astronaut(height, canvas))[0]
        np.testing.assert_allclose((face.landmarks - 5) / scale, LANDMARKS, atol=6)


def test_no_frames(weights):
    detector = Detector(weights.weights, weights.sha256, min_score=0.9, min_size=20)
    assert detector.detect(np.zeros((0, 20, 20, 3), np.uint8)) == []
