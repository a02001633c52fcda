"""Clean shots in which repairs of film are tried: what the camera does, and what goes on before it, is known."""

from functools import cache
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data

DEMO = Path(__file__).parents[1] / "demo" / "kinescope_clean.mp4"
SHOT = 48
"""Frames of each of the two shots of the demo."""
STRIDE = 24
"""Pixels by which the runner is further to the right in each frame."""


@cache
def glided(shot: int, count: int = 12):
    """*count* frames, 640x480, from the middle of a *shot* of the demo, in which the camera glides."""
    first = shot * SHOT + 10
    with av.open(DEMO) as container:
        frames = islice(container.decode(video=0), first, first + count)
        return np.stack([frame.to_ndarray(format="rgb24") for frame in frames])


@cache
def begun(count: int):
    """The first *count* frames, 640x480, of both shots of the demo."""
    with av.open(DEMO) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    return frames[:count], frames[SHOT : SHOT + count]


@cache
def run_past(count: int = 12):
    """The camera stands still, 480x360, and somebody with a face runs past, upright and blurred by it."""
    wall = cv2.resize(data.coffee(), (480, 360), interpolation=cv2.INTER_AREA)
    runner = cv2.resize(data.astronaut()[:300, 100:350], (80, 100), interpolation=cv2.INTER_AREA)
    shape = np.zeros((360, 480, 3), np.float32)
    body = np.zeros_like(shape)
    shape[130:230, :80], body[130:230, :80] = 1, runner
    shape, body = (cv2.blur(cv2.copyMakeBorder(one, 0, 0, 20, 0, 0), (9, 1))[:, :480] for one in (shape, body))
    frames = []
    for number in range(count):
        matrix = np.float32([[1, 0, 40 + STRIDE * number], [0, 1, 3 * (number % 3)]])
        here, there = (cv2.warpAffine(one, matrix, (480, 360)) for one in (shape, body))
        frames.append(np.rint(wall * (1 - here) + there).astype(np.uint8))
    return np.stack(frames)


SHOTS = {"portrait": lambda: glided(0), "rocket": lambda: glided(1), "runner": run_past}


def around(frames, number, reach=4):
    """The frames before frame *number* and those after it, nearest first."""
    return list(frames[max(0, number - reach) : number][::-1]), list(frames[number + 1 : number + 1 + reach])


def psnr(result, truth):
    error = np.mean((result.astype(np.float64) - truth) ** 2)
    return 10 * np.log10(255**2 / error) if error else np.inf
