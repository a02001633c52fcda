"""A camera that pans over a real face, with noise: restored faces are as calm as what surrounds them."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from restoration.faces.detect import Detector
from restoration.faces.judge import judged
from restoration.faces.paste import soft_mask
from restoration.faces.restore import FaceRestorer
from restoration.faces.tracks import chosen, follow
from restoration.media.chunks import write_chunk
from restoration.models.convert import convert
from restoration.models.fetch import fetch
from restoration.models.registry import load_registry
from restoration.stages.faces import Faces
from restoration.stages.reel import Reel
from restoration.stages.upscale import Upscaler

ROOT = Path(__file__).parents[3]
REGISTRY = load_registry(ROOT / "config/models.yaml")
COUNT, SCALE, NOISE = 16, 2, 5.0
STEP = np.array([1.37, 0.43])
"""Pixels that the picture moves from frame to frame."""


def pan():
    """The astronaut's face, about 55 pixels high, in frames of 160 by 128."""
    rng = np.random.default_rng(5)
    picture = cv2.resize(astronaut(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for number in range(COUNT):
        matrix = np.hstack([np.eye(2), -np.array([[35.0], [2.0]]) - number * STEP[:, None]])
        moved = cv2.warpAffine(picture, matrix, (160, 128), flags=cv2.INTER_CUBIC)
        yield np.clip(moved + rng.normal(0, NOISE, moved.shape), 0, 255).astype(np.uint8)


def warp_error(frames, inside):
    """Mean difference of each frame from the one before it, moved as the camera moved, where both are *inside*."""
    errors = []
    for (before, a), (after, b) in pairwise(zip(frames, inside, strict=True)):
        matrix = np.hstack([np.eye(2), -SCALE * STEP[:, None]])
        size = after.shape[1::-1]
        moved = cv2.warpAffine(before.astype(np.float32), matrix, size, flags=cv2.INTER_CUBIC)
        both = cv2.warpAffine(a.astype(np.float32), matrix, size) * b > 0.99
        errors.append(np.abs(moved - after)[both].mean())
    return float(np.mean(errors))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")

    def converted(id):
        target = folder / f"{id}.safetensors"
        convert(fetch(REGISTRY[id], folder), REGISTRY[id], target)
        return target, REGISTRY[id].sha256

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return {id: converted(id) for id in ("mtcnn", "realesr-animevideov3-fp16")}


def test_restored_faces_are_calm(weights, tmp_path):
    frames = np.stack(list(pan()))
    detector = Detector(*weights["mtcnn"], min_score=0.9, min_size=24)
    found = {number: faces for number, faces in enumerate(detector.detect(frames)) if faces}
    upscaler = Upscaler(*weights["realesr-animevideov3-fp16"], outscale=SCALE)
    upscaled = np.concatenate([upscaler.process(frame[None]) for frame in frames])
    restorer = FaceRestorer(*weights["realesr-animevideov3-fp16"])
    chunk = tmp_path / f"{0:07d}-{COUNT - 1:07d}.mkv"
    write_chunk(chunk, iter(frames), expected=COUNT)

    def restored(smoothing):
        tracks = chosen(follow(found, [(0, COUNT - 1)], gap=5, smoothing=smoothing), (160, 128))
        verdicts = judged(tracks, Reel([chunk]), restorer, soft_mask(), 0.5)
        assert len(tracks) == 1 and verdicts[0].share == 1
        stage = Faces(tracks, verdicts, restorer, None, strength=1, batch=4)
        return list(stage.shown(zip(range(COUNT), frames, upscaled, strict=True))), tracks[0].jitter

    ours, (shaking, calm) = restored(3)
    naive, _ = restored(0)
    inside = [shown.invented / 255 for shown in ours]
    error = {
        "upscaled": warp_error(upscaled, inside),
        "ours": warp_error([shown.frame for shown in ours], inside),
        "naive": warp_error([shown.frame for shown in naive], inside),
    }
    assert error["ours"] <= 1.1 * error["upscaled"]
    assert error["ours"] < error["naive"]
    assert calm < shaking / 10
