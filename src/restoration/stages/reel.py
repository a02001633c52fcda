"""A video as its chunks, for who looks at more than one."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import numpy as np

from restoration.frames import Box, Frame, inside
from restoration.media.chunks import read_chunk
from restoration.motion import Seen
from restoration.pipeline.plan import Span


class Reel:
    """Chunks of a video that follow one another, or all, in any order."""

    def __init__(self, chunks: Sequence[Path]) -> None:
        self.chunks = sorted((Span.parse(chunk.stem), chunk) for chunk in chunks)

    def frames(self, first: int, last: int, *, backwards: bool = False) -> Iterator[Frame]:
        """The frames from *first* to *last*; backwards a chunk is held in memory."""
        for span, chunk in self.chunks[::-1] if backwards else self.chunks:
            if span.first <= last and span.last >= first:
                numbered = ((number, frame) for number, frame in enumerate(read_chunk(chunk), span.first))
                shown = takewhile(lambda pair: pair[0] <= last, numbered)
                kept = (frame for number, frame in shown if number >= first)
                yield from list(kept)[::-1] if backwards else kept

    def around(self, span: Span, reach: int) -> range:
        """The numbers of the frames of *span*, and of up to *reach* more on either side, as far as there are any."""
        return range(
            max(self.chunks[0][0].first, span.first - reach), min(self.chunks[-1][0].last, span.last + reach) + 1
        )

    def seen(self, numbers: range, shots: Sequence[int], box: Box | None) -> Iterator[Seen]:
        """The frames of these *numbers*, within *box* (width, height, left, top); *shots* has that of every frame."""
        for number, frame in zip(numbers, self.frames(numbers[0], numbers[-1]), strict=True):
            yield Seen(np.ascontiguousarray(inside(frame, box)), number, shots[number])
