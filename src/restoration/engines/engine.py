"""Runs an image-to-image network over pictures: padded, in tiles, whole numbers in, whole numbers out.

By PyTorch, or on a CPU by OpenVINO: `Network` is what both offer. Nothing here waits for either to be imported.
"""

import importlib.util
from typing import Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.engines.tiles import SMALLEST_TILE, windows
from restoration.errors import RestorationError
from restoration.frames import Pictures


class Network(Protocol):
    """A network on a device, by some engine. *exact* computes in fp32 whatever the precision is.

    Raises FloatingPointError on NaN or infinity (its argument is the list of the pictures concerned) and MemoryError
    when the device's memory does not suffice.
    """

    def pictures(self, pictures: Pictures, *, exact: bool) -> Pictures:
        """Apply it to uint8 or uint16 (n, h, w, 3), which it sees in [0, 1]; gives the same type (n, h', w', 3)."""
        ...

    def values(self, values: NDArray[np.float32], *, exact: bool) -> NDArray[np.float32]:
        """Apply it to (n, h, w, c) as they are; gives (n, h', w', c')."""
        ...


NO_BF16 = "NOTICE: this processor does not know bf16: fp32 is used, which is exact"


class _Process:
    engine, threads = "torch", 1


def use(threads: int, engine: str = "torch") -> None:
    """Let this process use so many *threads*, and run the networks of all engines by *engine*: torch, openvino, auto.

    The last is OpenVINO where it is installed and the device is a CPU, else PyTorch.
    """
    cv2.setNumThreads(threads)
    _Process.threads, _Process.engine = threads, engine


def threads() -> int:
    """How many of them this process may use."""
    return _Process.threads


def is_free_to_choose() -> bool:
    """Whether nobody asked for one engine by its name."""
    return _Process.engine == "auto"


def by_openvino(device: str) -> bool:
    """Whether OpenVINO runs the networks of this process on *device*: cpu, cuda or mps."""
    if is_free_to_choose():
        return device == "cpu" and importlib.util.find_spec("openvino") is not None
    if _Process.engine == "openvino" and device != "cpu":
        raise RestorationError(f"engine: openvino runs on the CPU, not on {device}; use engine: auto")
    return _Process.engine == "openvino"


def require_precision(precision: str, device: str) -> None:
    """Raise RestorationError where *device* (cpu, cuda or mps) does not compute in *precision*."""
    if precision == "fp16" and device == "cpu":
        raise RestorationError("precision: fp16 needs a GPU; on the CPU use bf16 (fast) or fp32 (exact)")


class Engine:
    """A network of one input and one output picture in [0, 1], applied to RGB pictures tile by tile.

    *multiple* is what height and width must be divisible by; frames are padded by reflection and the result is cropped.
    Smaller ones than *minimum* pixels repeat their border first. Tiles begin at multiples of *step*, too: a network
    that halves the picture, and pads by itself, must pair the same pixels in all of them.
    """

    def __init__(
        self,
        network: Network,
        *,
        scale: int = 1,
        multiple: int = 1,
        step: int = 1,
        minimum: int = 1,
        tile: int = 0,
        overlap: int = 0,
    ) -> None:
        self.network = network
        self.scale, self.multiple, self.step, self.minimum = scale, multiple, int(np.lcm(multiple, step)), minimum
        self.tile, self.overlap = tile, overlap
        # The frame before and what became of it.
        self._seen = self._made = np.empty(0, np.uint8)

    def halve_tile(self, height: int, width: int) -> bool:
        """Work in smaller tiles from now on; False when they are as small as is useful."""
        tile = (self.tile or max(height, width)) // 2
        if tile < max(SMALLEST_TILE, self.minimum):
            return False
        self.tile, self._seen = tile, np.empty(0, np.uint8)
        return True

    def __call__(self, frames: Pictures, *, exact: bool = False) -> Pictures:
        """Apply the network to uint8 or uint16 (n, h, w, 3); gives the same type (n, h·scale, w·scale, 3).

        A tile that is the same as in the frame before is not computed again. *exact* computes in fp32 whatever the
        precision is; pictures of 16 bits always are. Errors as `Network`'s.
        """
        exact = exact or frames.dtype == np.uint16
        count, height, width, _ = frames.shape
        s = self.scale
        padded = padded_to(frames, self.minimum, self.multiple)
        tiles = list(windows(padded.shape[1], padded.shape[2], self.tile, self.overlap, self.step))
        if len(tiles) == 1:
            return np.ascontiguousarray(self.network.pictures(padded, exact=exact)[:, : height * s, : width * s])
        result = np.empty((count, height * s, width * s, 3), frames.dtype)
        reusable = not exact and self._seen.shape == padded.shape[1:]
        for row, column in tiles:
            place = slice(row.window_start, row.window_stop), slice(column.window_start, column.window_stop)
            core = slice(row.core_start * s, row.core_stop * s), slice(column.core_start * s, column.core_stop * s)
            window = padded[:, *place]
            earlier = [self._seen[place] if reusable else None, *window[:-1]]
            due = [i for i, pair in enumerate(zip(earlier, window, strict=True)) if not np.array_equal(*pair)]
            made = iter(self._made_of(window, due, exact=exact)) if due else iter(())
            for i in range(count):
                before = result[i - 1] if i else self._made
                target = result[i][core]
                if i in due:
                    top, left = ((span.core_start - span.window_start) * s for span in (row, column))
                    target[:] = next(made)[top : top + target.shape[0], left : left + target.shape[1]]
                else:
                    target[:] = before[core]
        if not exact:
            self._seen, self._made = padded[-1].copy(), result[-1].copy()
        return result

    def values(self, pictures: NDArray[np.float32], *, exact: bool = False) -> NDArray[np.float32]:
        """Apply the network to whole pictures (n, h, w, c) of whatever it takes; gives (n, h', w', c') of what it
        answers; *exact* and errors as above."""
        return self.network.values(pictures, exact=exact)

    def _made_of(self, window: Pictures, due: list[int], *, exact: bool) -> Pictures:
        try:
            return self.network.pictures(window[due], exact=exact)
        except FloatingPointError as error:
            raise FloatingPointError([due[i] for i in error.args[0]]) from error


def padded_to(pictures: Pictures, minimum: int, multiple: int) -> Pictures:
    """Pad the right and bottom of (n, h, w, c): by repeating the border up to *minimum* pixels, then by reflection
    until both sides are multiples of *multiple*."""
    rows, columns = (_reaching(length, minimum, multiple) for length in pictures.shape[1:3])
    if (len(rows), len(columns)) == pictures.shape[1:3]:
        return pictures
    return pictures[:, rows[:, None], columns]


def _reaching(length: int, minimum: int, multiple: int) -> NDArray[np.intp]:
    """Which pixels of a side fill it."""
    repeated = np.arange(max(length, minimum)).clip(max=length - 1)
    count = len(repeated)
    wanted = np.arange(count + -count % multiple)
    # Reflection needs more pixels than it adds; a picture a few pixels wide repeats its border.
    mirrored = np.minimum(wanted, 2 * (count - 1) - wanted) if len(wanted) < 2 * count else wanted.clip(max=count - 1)
    return cast(NDArray[np.intp], repeated[mirrored])
