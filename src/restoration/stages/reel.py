"""A video as its chunks, for who looks at it as a whole."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from restoration.frames import Frame
from restoration.media.chunks import read_chunk
from restoration.pipeline.plan import Span


class Reel:
    """All *chunks* of a video, in any order."""

    def __init__(self, chunks: Sequence[Path]) -> None:
        self.chunks = sorted((Span.parse(chunk.stem), chunk) for chunk in chunks)

    def frames(self, first: int, last: int, *, backwards: bool = False) -> Iterator[Frame]:
        """The frames from *first* to *last*; backwards a chunk is held in memory."""
        for span, chunk in self.chunks[::-1] if backwards else self.chunks:
            if span.first <= last and span.last >= first:
                numbered = ((number, frame) for number, frame in enumerate(read_chunk(chunk), span.first))
                kept = (frame for number, frame in numbered if first <= number <= last)
                yield from list(kept)[::-1] if backwards else kept
