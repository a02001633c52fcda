"""The photos that the colorizer learns from and is measured on, and what befalls them on the way to the network."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from restoration.models.colorizer import GRID_REACH

Image = npt.NDArray[np.uint8]
"""RGB, (height, width, 3)."""
Floats = npt.NDArray[np.floating]
"""float32 throughout."""

HELD_OUT, VALIDATION = "held-out", "validation"
SPLITS = (HELD_OUT, VALIDATION, "training")
LEAST_CHROMA = 3.0
"""Mean CIELAB chroma below which a picture counts as black-and-white and teaches nothing about colour."""


class Batch(NamedTuple):
    gray: Floats
    """What the network sees: (n, 1, size, size) in [0, 1]."""
    chroma: Floats
    """What it should see in it: CIELAB (n, 2, size/4, size/4)."""


def split_of(name: str) -> str:
    """The part a photo belongs to, by its file name alone: about 10.5 % held out, 5 % validation, the rest training."""
    share = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32
    return HELD_OUT if share < 0.105 else VALIDATION if share < 0.155 else "training"


def read_photos(folder: Path, split: str) -> dict[str, Image]:
    """The colour photos of one part, by file name; black-and-white ones are left out."""
    names = sorted(path.name for path in folder.glob("*.jpg") if split_of(path.name) == split)
    photos = {name: read_photo(folder / name) for name in names}
    return {name: photo for name, photo in photos.items() if np.hypot(*rgb_to_chroma(photo)).mean() >= LEAST_CHROMA}


def read_photo(path: Path) -> Image:
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"{path} is no picture")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def rgb_to_chroma(photo: Image) -> Floats:
    """CIELAB's a and b, (2, height, width)."""
    return np.moveaxis(_rgb_to_lab(photo)[..., 1:], 2, 0)


def lightness_gray(photo: Image) -> Floats:
    """The gray in [0, 1] that has the same CIELAB lightness, (height, width)."""
    lab = _rgb_to_lab(photo)
    lab[..., 1:] = 0
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)[..., 1], np.float32)


def _rgb_to_lab(photo: Image) -> Floats:
    return np.asarray(cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def make_batch(photos: list[Image], size: int, rng: np.random.Generator) -> Batch:
    """Crop, flip and age *photos*: one sample of each."""
    grays, chromas = [], []
    for photo in photos:
        photo = _crop(photo, size, rng)
        chroma = np.moveaxis(rgb_to_chroma(photo), 0, 2).clip(-GRID_REACH, GRID_REACH)
        chromas.append(np.moveaxis(cv2.resize(chroma, (size // 4, size // 4), interpolation=cv2.INTER_AREA), 2, 0))
        grays.append(_age(_film(photo, rng), rng)[None])
    return Batch(np.stack(grays), np.stack(chromas))


def _crop(photo: Image, size: int, rng: np.random.Generator) -> Image:
    """A random square, at 0.6 to 1.4 times the scale at which the network will see whole pictures."""
    height, width = photo.shape[:2]
    edge = round(min(height, width) * rng.uniform(0.45, 1))
    top, left = rng.integers(height - edge + 1), rng.integers(width - edge + 1)
    square = cv2.resize(photo[top : top + edge, left : left + edge], (size, size), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(square[:, ::-1] if rng.random() < 0.5 else square, np.uint8)


def _film(photo: Image, rng: np.random.Generator) -> Floats:
    """Gray as the eye sees it or as some emulsion or camera tube does: early film hardly saw red, tubes varied."""
    if rng.random() < 0.5:
        return lightness_gray(photo)
    response = rng.dirichlet((2.4, 4.5, 1.5))
    return (photo @ response / 255).astype(np.float32)


def _age(gray: Floats, rng: np.random.Generator) -> Floats:
    """Wrong exposure, softness, halos, grain, vignetting and compression, each in some pictures only."""
    low, high = rng.uniform(0, 0.12), rng.uniform(0.85, 1)
    if rng.random() < 0.6:
        gray = low + (high - low) * gray.clip(0, 1) ** np.exp(rng.uniform(-0.45, 0.45))
    if rng.random() < 0.4:
        gray = _blur(gray, rng.uniform(0.3, 1.8))
    if rng.random() < 0.2:
        gray = gray + rng.uniform(0.3, 1.2) * (gray - _blur(gray, rng.uniform(0.8, 2)))
    if rng.random() < 0.2:
        axis = np.linspace(-1, 1, len(gray), dtype=np.float32) ** 2
        gray = gray * (1 - rng.uniform(0, 0.25) * (axis[:, None] + axis))
    if rng.random() < 0.4:
        grain = rng.standard_normal(gray.shape, np.float32)
        if rng.random() < 0.5:
            grain = 2 * _blur(grain, 0.7)
        gray = gray + rng.uniform(0.005, 0.06) * grain
    aged = np.asarray((gray.clip(0, 1) * 255).round(), np.uint8)
    if rng.random() < 0.3:
        _, jpeg = cv2.imencode(".jpg", aged, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
        aged = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)
    return aged.astype(np.float32) / 255


def _blur(picture: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
