"""Runs any stage over one chunk: reads, skips repeats, batches, guards the numbers and the memory, writes, reports.

Decoding, inference and encoding overlap in three threads with bounded queues between them, so memory does not grow
with the chunk. A stage contains nothing but its idea.
"""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from restoration.errors import RestorationError
from restoration.frames import Picture, Pictures
from restoration.media.chunks import damaged, read_chunk, read_hashes, read_pictures, write_chunk
from restoration.media.looks import brightness, went_black
from restoration.pipeline.plan import Span
from restoration.stages.repeats import NearRepeats

logger = logging.getLogger(__name__)

T = TypeVar("T")

REPORT_SECONDS = 5.0
KEPT_RESULTS = 16
"""Results of repeated frames held at once; beyond that the oldest is computed again when it is due."""


class Stage(Protocol):
    """What a stage has to offer; it may assume pictures of one size and kind."""

    takes_all: bool
    """Whether it restores pictures of 16 bits, and their alpha, too. One that does not is given frames, and must not
    change their size."""

    def process(self, frames: Any, *, exact: bool = False) -> Pictures:
        """Restore pictures (n, h, w, 3 or 4); as many must come back. *exact* asks for full fp32 precision.

        Raises MemoryError when it does not fit and FloatingPointError, with the list of frames, on NaN or infinity.
        """
        ...

    def shrink(self, height: int, width: int) -> bool:
        """Need less memory from now on for frames of this size; False when nothing is left to give."""
        ...


def run_stage(
    stage: Stage,
    source: Path,
    target: Path,
    span: Span,
    *,
    batch: int,
    wanted: Sequence[bool] | None = None,
    same_below: float = 0,
) -> None:
    """Restore the chunk *source* into the chunk *target*; frames in = frames out, or an error and no target.

    The other arguments are those of `restored_chunk`.
    """
    restored = restored_chunk(stage, source, span, batch=batch, wanted=wanted, same_below=same_below)
    beneath = None if stage.takes_all else source
    write_chunk(target, progress(restored, len(span)), expected=len(span), source=beneath)


def restored_chunk(
    stage: Stage,
    source: Path,
    span: Span,
    *,
    batch: int,
    wanted: Sequence[bool] | None = None,
    same_below: float = 0,
) -> Iterator[Picture]:
    """Yield the pictures of the chunk *source* restored, no more than a few ahead of who asks for them.

    *span* are the frames of the video that the chunk must hold. *batch* is the number of frames given to the stage at
    once, lowered by itself when memory does not suffice. Frames that are not *wanted* pass untouched. *same_below*: see
    `restore`.
    """
    hashes = read_hashes(source)
    if len(hashes) != len(span):
        raise damaged(source, f"its hash list names {len(hashes)} frames instead of {len(span)}")
    read = read_pictures if stage.takes_all else read_chunk
    decoded = prefetch(read(source), depth=2 * batch)
    return prefetch(restore(Guard(stage, batch), hashes, decoded, span.first, wanted, same_below), depth=2 * batch)


def restore(
    guard: "Guard",
    hashes: list[str],
    frames: Iterable[Picture],
    first_frame: int,
    wanted: Sequence[bool] | None = None,
    same_below: float = 0,
) -> Iterator[Picture]:
    """Yield the frames in order, the *wanted* ones restored; identical ones (equal hashes) pass the stage once.

    Frames that differ by less than *same_below* from the last one that got a result of its own get that result, too.
    They are never compared with one that did not, along which slow change would drift.
    """
    wanted = [True] * len(hashes) if wanted is None else wanted
    due = Counter(key for key, is_wanted in zip(hashes, wanted, strict=True) if is_wanted)
    results: dict[str, Picture] = {}
    near = NearRepeats(same_below)
    # The frames come first: zip must ask for the one after the last, by which the reader proves that it is the last.
    numbered = zip(frames, hashes, wanted, count(first_frame), strict=False)
    while group := list(islice(numbered, guard.batch)):
        new: dict[str, tuple[int, Picture]] = {}
        sources = [near.source(key, frame) if is_wanted else (key, 0) for frame, key, is_wanted, _ in group]
        for (frame, key, is_wanted, number), (source, _) in zip(group, sources, strict=True):
            if is_wanted and key == source and key not in results:
                new.setdefault(key, (number, frame))
        if new:
            numbers, pictures = zip(*new.values(), strict=True)
            results.update(zip(new, guard.process(np.stack(pictures), numbers), strict=True))
        for (frame, key, is_wanted, number), (source, apart) in zip(group, sources, strict=True):
            if source != key:
                near.note(number, frame, results[source], apart)
            yield results[source] if is_wanted else frame
            due[key] -= is_wanted
        # Keep only what a later frame asks for or may nearly repeat, and not too much of that.
        kept = [key for key in results if due[key]][-KEPT_RESULTS:]
        results = {key: result for key, result in results.items() if key in kept or key == near.key}
    near.tell(guard.process)
    repeats = len(hashes) - len(set(hashes))
    if repeats:
        logger.info("%d of %d frames repeat an earlier one: its result was used again", repeats, len(hashes))


class Guard:
    """A stage whose results can be relied on: memory, counts and numbers are checked around each call."""

    def __init__(self, stage: Stage, batch: int) -> None:
        self.stage, self.batch = stage, batch

    def process(self, frames: Pictures, numbers: tuple[int, ...]) -> Pictures:
        """Restore *frames*, whose indices in the video are *numbers*; every result is sound or the job fails."""
        parts = []
        start = 0
        while start < len(frames):
            part = frames[start : start + self.batch]
            try:
                parts.append(self._sound(part, numbers[start : start + self.batch]))
            except MemoryError as error:
                self._shrink(part, error)
                continue
            start += len(part)
        return np.concatenate(parts)

    def _shrink(self, frames: Pictures, error: MemoryError) -> None:
        if len(frames) > 1:
            self.batch = len(frames) // 2
            logger.warning("Out of memory: going on with %d frames at once", self.batch)
        elif self.stage.shrink(*frames.shape[1:3]):
            logger.warning("Out of memory: going on with smaller tiles")
        else:
            height, width = frames.shape[1:3]
            raise RestorationError(
                f"one frame of {width}x{height} does not fit into memory even in the smallest tiles ({error}). "
                "Free memory, run fewer jobs at once (--cores), or use a smaller model."
            ) from error

    def _sound(self, frames: Pictures, numbers: tuple[int, ...]) -> Pictures:
        try:
            restored = list(self.stage.process(frames))
            pairs = zip(frames, restored, strict=True)
            suspects = [
                i for i, (before, after) in enumerate(pairs) if went_black(brightness(before), brightness(after))
            ]
        except FloatingPointError:
            restored, suspects = list(frames), list(range(len(frames)))
        if suspects:
            logger.warning("Frames %s came out black or not a number: again in fp32", [numbers[i] for i in suspects])
        for i in suspects:
            restored[i] = self._exact(frames[i : i + 1], numbers[i])
        return np.stack(restored)

    def _exact(self, frame: Pictures, number: int) -> Picture:
        try:
            restored = self.stage.process(frame, exact=True)[0]
        except FloatingPointError as error:
            raise RestorationError(
                f"frame {number}: the network's result is not a number, in fp32, too. "
                "The weights may be damaged or unfit for this picture: choose another model."
            ) from error
        if went_black(brightness(frame[0]), brightness(restored)):
            raise RestorationError(f"frame {number}: the network turned a lit picture black; choose another model.")
        return restored


def progress(frames: Iterable[T], total: int) -> Iterator[T]:
    """Pass *frames* on, logging how many of *total* are done, how fast and how long the rest will take."""
    start = reported = time.monotonic()
    for done, frame in enumerate(frames, start=1):
        yield frame
        now = time.monotonic()
        if now - reported >= REPORT_SECONDS or done == total:
            reported = now
            rate = done / max(now - start, 1e-9)
            logger.info("%d/%d frames, %.2f fps, %.0f s left", done, total, rate, (total - done) / rate)


def prefetch(items: Iterable[T], depth: int) -> Iterator[T]:
    """Iterate over *items* in a thread of its own, at most *depth* of them ahead of the consumer.

    An exception in *items* is raised here; when the consumer stops early, the thread ends.
    """
    ready: queue.Queue[T | _Stop] = queue.Queue(maxsize=depth)
    abandoned = threading.Event()

    def put(entry: T | _Stop) -> None:
        while not abandoned.is_set():
            with suppress(queue.Full):
                ready.put(entry, timeout=0.1)
                return

    def produce() -> None:
        try:
            for item in items:
                put(item)
                if abandoned.is_set():
                    return
            put(_Stop(None))
        except BaseException as error:
            put(_Stop(error))

    threading.Thread(target=produce, name="prefetch", daemon=True).start()
    try:
        while not isinstance(entry := ready.get(), _Stop):
            yield entry
        if entry.error is not None:
            raise entry.error
    finally:
        abandoned.set()


@dataclass(frozen=True)
class _Stop:
    """The last entry of a prefetch queue: why there is no more."""

    error: BaseException | None
