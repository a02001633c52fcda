"""Defects of film and tape put over clean frames, with the truth beside them: what tests and measurements need.

Nothing is random: a *seed* tells it all. `DEFECTS` are all of them in the order in which they befall a picture.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frames

Masks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Damaged:
    """Damaged *frames* of one shot, uint8 RGB (n, h, w, 3), and what was done to them.

    *dust* and *scratches* (n, h, w) are the pixels that these cover, where they are now; *shifts* (n, 2) the pixels by
    which each picture was moved to the right and down; *gains* (n,) by what its samples were multiplied. Both are 0
    and 1 on average (the latter in its logarithm), because nobody could tell otherwise.
    """

    frames: Frames
    dust: Masks
    scratches: Masks
    shifts: NDArray[np.float64]
    gains: NDArray[np.float64]

    @classmethod
    def none(cls, frames: Frames) -> "Damaged":
        """Clean frames."""
        count = len(frames)
        unhurt = np.zeros(frames.shape[:3], bool)
        return cls(frames, unhurt, unhurt, np.zeros((count, 2)), np.ones(count))


def dust(clean: Damaged, seed: int, *, share: float = 0.5, per_frame: float = 3) -> Damaged:
    """Specks and blotches, opaque, black or white, each in one frame only; in a *share* of the frames."""
    rng = np.random.default_rng(seed)
    frames, covered = clean.frames.copy(), clean.dust.copy()
    count, height, width = covered.shape
    for number in np.flatnonzero(rng.random(count) < share):
        for _ in range(max(1, rng.poisson(per_frame))):
            speck = _blob(rng, height, width)
            alpha = cv2.GaussianBlur(speck.astype(np.float32), (3, 3), 0.6)[..., None]
            shade = rng.choice([rng.uniform(0, 25), rng.uniform(230, 255)])
            frames[number] = np.rint(frames[number] * (1 - alpha) + shade * alpha)
            covered[number] |= alpha[..., 0] > 0.1
    return replace(clean, frames=frames, dust=covered)


def _blob(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """A speck, now and then a hair: uint8 (h, w) of 0 and 1."""
    mask = np.zeros((height, width), np.uint8)
    place = np.array([rng.uniform(0, width), rng.uniform(0, height)])
    size = width / 320 * rng.lognormal(0.7, 0.5)
    if rng.random() < 0.2:
        steps = np.cumsum(rng.normal(0, 0.35, 12)) + rng.uniform(0, 2 * np.pi)
        line = place + np.cumsum(np.stack([np.cos(steps), np.sin(steps)], axis=1) * 2 * size, axis=0)
        cv2.polylines(mask, [np.rint(line).astype(np.int32)], False, 1, thickness=max(1, round(size / 2)))
        return mask
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    radii = size * rng.uniform(0.6, 1.4, len(angles))
    outline = place + np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
    return mask


def scratches(clean: Damaged, seed: int, *, lines: int = 2, contrast: float = 60) -> Damaged:
    """Vertical lines over all of the height and all frames, thin, lighter or darker, that waver sideways."""
    rng = np.random.default_rng(seed)
    frames, covered = clean.frames.astype(np.float32), clean.scratches.copy()
    count, height, width = covered.shape
    rows, columns = np.arange(height), np.arange(width)
    for place in rng.choice(np.linspace(0.12, 0.88, 4 * lines), lines, replace=False) * width:
        half = width / 320 * rng.uniform(0.4, 0.9)
        sign = rng.choice([-1, 1])
        wander = np.cumsum(rng.normal(0, 0.15, count)) * width / 320
        for number in range(count):
            depth = contrast * rng.uniform(0.7, 1)
            lean = 0.4 * width / 320 * np.sin(rows / height * 3 + number / 9)
            distance = np.abs(columns[None] - (place + wander[number] + lean)[:, None])
            alpha = np.clip(half + 0.5 - distance, 0, 1)
            frames[number] += sign * depth * alpha[..., None]
            covered[number] |= alpha > 0.1
    return replace(clean, frames=_whole(frames), scratches=covered)


def flicker(clean: Damaged, seed: int, *, deviation: float = 0.08) -> Damaged:
    """Another exposure for every frame; *deviation* is that of its logarithm."""
    rng = np.random.default_rng(seed)
    gains = rng.normal(0, deviation, len(clean.frames))
    gains = np.exp(gains - gains.mean())
    frames = _whole(clean.frames * gains[:, None, None, None].astype(np.float32))
    return replace(clean, frames=frames, gains=clean.gains * gains)


def weave(clean: Damaged, seed: int, *, deviation: float = 1.0) -> Damaged:
    """Another place in the gate for every frame, *deviation* pixels off: half at random, half swaying slowly."""
    rng = np.random.default_rng(seed)
    count, height, width = clean.dust.shape
    sway = np.sin(np.arange(count)[:, None] / rng.uniform(3, 6, 2) + rng.uniform(0, 6, 2)) * np.sqrt(2)
    shifts = deviation * (rng.normal(0, 1, (count, 2)) + sway) / np.sqrt(2)
    shifts -= shifts.mean(axis=0)

    def moved(picture: NDArray[np.uint8], shift: NDArray[np.float64], how: int) -> NDArray[np.uint8]:
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
        return np.asarray(cv2.warpAffine(picture, matrix, (width, height), flags=how, borderMode=cv2.BORDER_REFLECT))

    frames = np.stack([moved(*pair, cv2.INTER_LANCZOS4) for pair in zip(clean.frames, shifts, strict=True)])
    dust, scratches = (
        np.stack(
            [moved(m.astype(np.uint8) * 255, s, cv2.INTER_LINEAR) > 25 for m, s in zip(masks, shifts, strict=True)]
        )
        for masks in (clean.dust, clean.scratches)
    )
    return replace(clean, frames=frames, dust=dust, scratches=scratches, shifts=clean.shifts + shifts)


def kinescope(clean: Damaged, seed: int = 0, *, blur: float = 1.2, halo: float = 0.5) -> Damaged:
    """A soft tube, filmed, and then sharpened: a Gaussian of *blur* pixels, and dark halos around what is bright.

    *halo* is the share of the difference to the surroundings (a Gaussian four times as wide) that was added.
    """
    soft = [cv2.GaussianBlur(frame.astype(np.float32), (0, 0), blur) for frame in clean.frames]
    haloed = [picture + halo * (picture - cv2.GaussianBlur(picture, (0, 0), 4 * blur)) for picture in soft]
    return replace(clean, frames=_whole(np.stack(haloed)))


def grain(clean: Damaged, seed: int, *, deviation: float = 7) -> Damaged:
    """Gray grain, a little larger than a pixel, strongest in middle tones, of a standard *deviation* of 255."""
    rng = np.random.default_rng(seed)
    luma = clean.frames.mean(axis=3) / 255
    noise = rng.normal(0, 1, luma.shape).astype(np.float32)
    noise = np.stack([cv2.GaussianBlur(one, (0, 0), 0.6) for one in noise])
    noise *= deviation / noise.std() * (0.4 + 2.4 * luma * (1 - luma))
    return replace(clean, frames=_whole(clean.frames + noise[..., None]))


def mpeg(clean: Damaged, seed: int = 0, *, quality: int = 10) -> Damaged:
    """What MPEG-2 leaves at a constant quantizer *quality*, from 2, the best, to 31."""
    file = io.BytesIO()
    height, width = clean.frames.shape[1:3]
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("mpeg2video", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.qmin = stream.codec_context.qmax = quality
        stream.codec_context.gop_size = 12
        for picture in clean.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file) as container:
        return replace(clean, frames=np.stack([one.to_ndarray(format="rgb24") for one in container.decode(video=0)]))


DEFECTS: Mapping[str, Callable[..., Damaged]] = {
    "grain": grain,
    "dust": dust,
    "scratches": scratches,
    "flicker": flicker,
    "weave": weave,
    "kinescope": kinescope,
    "mpeg": mpeg,
}


def damage(frames: Frames, *names: str, seed: int = 1) -> Damaged:
    """*frames* of one shot with the defects of these *names*, or with all."""
    damaged = Damaged.none(frames)
    for number, (name, befall) in enumerate(DEFECTS.items()):
        if name in names or not names:
            damaged = befall(damaged, seed + number)
    return damaged


def _whole(frames: NDArray[np.floating]) -> Frames:
    return np.rint(frames).clip(0, 255).astype(np.uint8)
