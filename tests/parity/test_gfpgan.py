"""Faces aligned, restored, parsed and pasted, against the packages gfpgan and facexlib, on seeded weights in the
official file layout. Detection has a test of its own: here both are told where the face is.
"""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

import originals
from restoration.faces import align, paste
from restoration.faces.align import aligned, alignment
from restoration.faces.restore import AlignedFace, FaceParser, FaceRestorer
from restoration.models.convert import convert
from restoration.models.registry import Model

SHA256 = "0" * 64
SCALE = 4
LANDMARKS = np.array([[204, 104], [249, 107], [224, 134], [201, 147], [244, 149]], np.float32)
"""The astronaut's, twice as far apart as in the picture: the face is about as large as a crop."""


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """The original restorer with seeded networks, and files of the same weights as they are published."""
    network, parser = originals.gfpgan(), originals.parsenet()
    folder = tmp_path_factory.mktemp("gfpgan")
    torch.save({"params_ema": network.state_dict()}, folder / "GFPGAN.pth")
    torch.save(parser.state_dict(), folder / "ParseNet.pth")
    restorer = originals.face_restorer(network, parser, align.TEMPLATE, SCALE)
    helper = restorer.face_helper
    helper.get_face_landmarks_5 = lambda **options: helper.all_landmarks_5.append(LANDMARKS)
    return SimpleNamespace(restorer=restorer, folder=folder)


def converted(folder, name, task):
    model = Model(id=name, task=task, scale=1, licence="MIT", format="pth", sha256=SHA256, sources=())
    convert(folder / f"{name}.pth", model, folder / f"{name}.safetensors")
    return folder / f"{name}.safetensors", SHA256


def test_a_face_goes_the_original_way(official, monkeypatch):
    frame = cv2.resize(astronaut(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)[20:420, 240:640].copy()
    ours = {}
    crops, faces, pasted = official.restorer.enhance(frame[..., ::-1], paste_back=True)
    theirs = {"crop": crops[0][..., ::-1], "face": faces[0][..., ::-1], "result": pasted[..., ::-1]}

    # There some landmarks may be left out.
    matrix = cv2.estimateAffinePartial2D(LANDMARKS, align.TEMPLATE, method=cv2.LMEDS)[0]
    assert np.abs(matrix - alignment(LANDMARKS)).max() < 15
    ours["crop"] = aligned(frame, matrix)
    # What shrinks is averaged here, and sampled there.
    assert min(align.scale_of(matrix), SCALE / align.scale_of(matrix)) > align.SHRINKING
    restorer = FaceRestorer(*converted(official.folder, "GFPGAN", "restore_faces"))
    face = AlignedFace(0, ours["crop"], 512)
    (ours["face"],) = restorer.restored([face])
    np.testing.assert_array_equal(restorer.restored([face])[0], ours["face"])
    # Seeded parsers waver: 1 of 255 in the face makes another mask. So this goes on from one and the same face.
    (mask,) = FaceParser(*converted(official.folder, "ParseNet", "parse_faces")).masks(theirs["face"][None])
    assert 0.1 < mask.mean() < 0.95
    larger = cv2.resize(frame, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_LANCZOS4)
    # There, faces come back half a pixel too low and too far right.
    monkeypatch.setattr(paste, "way_back", lambda m, s: cv2.invertAffineTransform(m) * s + [[0, 0, s / 2]] * 2)
    ours["result"], weight = paste.pasted(larger, theirs["face"], matrix, SCALE, mask, 1)

    assert (weight > 0.9).sum() > 10_000
    assert np.abs(theirs["result"].astype(int) - larger).max() > 50
    apart = {what: np.abs(picture.astype(int) - theirs[what]) for what, picture in ours.items()}
    # OpenCV samples masks of 64 bits, which they take, at 1/32 of a pixel: it shows where ParseNet's mask is cut off.
    assert (apart["result"] > 1).mean() < 1e-3 and apart["result"].max() <= 8
    assert apart["crop"].max() <= 1 and apart["face"].max() <= 1
