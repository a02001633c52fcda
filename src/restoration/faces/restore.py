"""Aligned faces through the networks that restore them and tell their parts apart."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.engines.engine import Engine
from restoration.engines.start import Options, prepared_engine, preparing_engine, start
from restoration.errors import RestorationError
from restoration.faces.paste import Mask
from restoration.frames import Frame, Frames
from restoration.media.looks import went_black
from restoration.models.face_restorers import FACE_EDGE, FaceGenerator
from restoration.models.load import load_face_restorer, load_parser

NO_FACE = (0, 14, 16, 17, 18)
"""ParseNet's classes that are not pasted: background, neck, clothes, hair, hat."""
BLUR, BLUR_EDGE = 11, 101
BORDER = 10
"""Pixels at the border of a mask that are never pasted."""


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """A face of frame *number* as an aligned *crop*; in the source it was *edge* pixels wide and high."""

    number: int
    crop: Frame
    edge: int


class FaceRestorer:
    """Restores aligned faces with the network in *weights* (a converted safetensors file).

    One that knows faces sees the crop; one of super-resolution sees it at the size that it had in the source.
    *fidelity* is CodeFormer's; *precision* is fp32, bf16 or fp16; *device* auto, cpu, cuda or mps.
    """

    def __init__(
        self, weights: Path, sha256: str, *, fidelity: float = 0.5, precision: str = "fp32", device: str = "cpu"
    ) -> None:
        self.enlarges = True
        options = Options(tile=0, overlap=0, precision=precision, device=device)
        if engine := prepared_engine(weights, sha256, options):
            self.engine = engine
            return
        network = load_face_restorer(weights, sha256, fidelity=fidelity)
        if isinstance(network, FaceGenerator):
            self.enlarges = False
            self.engine = Engine(start(network, precision=precision, device=device))
        else:
            self.engine = preparing_engine(network, weights, sha256, options)

    def restored(self, faces: Sequence[AlignedFace]) -> list[Frame]:
        """Restore *faces* to crops of the same size.

        In fp32 where the precision does not suffice, and one by one where memory does not suffice for all at once.
        """
        if not faces:
            return []
        if self.enlarges:
            return [self._alone(face) for face in faces]
        try:
            pictures = list(self.engine(np.stack([face.crop for face in faces])))
        except (FloatingPointError, MemoryError):
            return [self._alone(face) for face in faces]
        return [
            self._alone(face) if _went_black(face, picture) else picture
            for face, picture in zip(faces, pictures, strict=True)
        ]

    def _alone(self, face: AlignedFace) -> Frame:
        seen = resized(face.crop, face.edge) if self.enlarges else face.crop
        for exact in (False, True):
            with suppress(FloatingPointError):
                (restored,) = self.engine(seen[None], exact=exact)
                if not _went_black(face, restored):
                    return resized(restored, FACE_EDGE)
        raise RestorationError(
            f"frame {face.number}: the network's face is black or not a number, in fp32, too. The weights may be "
            "damaged: choose another faces.model"
        )


def _went_black(face: AlignedFace, restored: Frame) -> bool:
    return bool(went_black(face.crop.mean(), restored.mean()))


def resized(picture: Frame, edge: int) -> Frame:
    """A square *picture*, *edge* pixels wide and high."""
    if picture.shape[0] == edge:
        return picture
    how = cv2.INTER_AREA if edge < picture.shape[0] else cv2.INTER_CUBIC
    return cast(Frame, cv2.resize(picture, (edge, edge), interpolation=how))


class FaceParser:
    """Tells what of an aligned face is face, with the network in *weights* (a converted safetensors file)."""

    def __init__(self, weights: Path, sha256: str, *, device: str = "cpu") -> None:
        self.engine = Engine(start(load_parser(weights, sha256), precision="fp32", device=device))

    def masks(self, faces: Frames) -> list[Mask]:
        """The masks of uint8 (n, 512, 512, 3), soft at the edge; one by one where memory does not suffice for all."""
        try:
            scores = self.engine.values(faces.astype(np.float32) / 127.5 - 1)
        except MemoryError:
            if len(faces) == 1:
                raise
            return [self.masks(face[None])[0] for face in faces]
        return [_mask(parts) for parts in scores.argmax(axis=-1)]


def _mask(parts: NDArray[np.int64]) -> Mask:
    mask = cast(Mask, (~np.isin(parts, NO_FACE)).astype(np.float32))
    for _ in range(2):
        mask = cast(Mask, cv2.GaussianBlur(mask, (BLUR_EDGE, BLUR_EDGE), BLUR))
    inside = np.zeros_like(mask)
    inside[BORDER:-BORDER, BORDER:-BORDER] = mask[BORDER:-BORDER, BORDER:-BORDER]
    return inside
