#!/usr/bin/env python3
"""Put frames that were restored with different settings side by side, as a page and as one picture."""

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, groupby
from pathlib import Path

from restoration.faces.detect import Detector
from restoration.frames import Frame
from restoration.media.chunks import read_chunk
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.review.sheet import write_sheets


def frames_of(chunks: Sequence[Path]) -> Iterator[Frame]:
    """All frames of some chunks."""
    return chain.from_iterable(map(read_chunk, chunks))


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--weights", required=True, type=Path, nargs="+", help="of the network that finds faces")
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--source", required=True, nargs="+", type=Path, help="chunks of the frames as they were")
    parser.add_argument("--cells", required=True, nargs="+", type=Path, help="restored chunks, cell by cell")
    parser.add_argument("--sheet", required=True, type=Path, help="picture to write")
    args = job.parse(parser)
    description, timeline = json.loads(args.probe.read_text()), Timeline.read(args.timeline)
    # Frame by frame: together they may be more than memory holds.
    results = [frames_of(cell) for cell in [[*cell] for _, cell in groupby(args.cells, lambda file: file.parent)]]
    times = [float(pts * timeline.time_base - Fraction(description["origin"])) for pts in timeline.pts.tolist()]
    found = {option: args.spec[option] for option in ("min_score", "min_size")}
    detector = Detector(*args.weights, *args.spec["weights"], **found)
    faces = ([face.box for face in detector.detect(frame[None])[0]] for frame in frames_of(args.source))
    write_sheets(args.output, args.sheet, args.video, args.spec["cells"], times, faces, frames_of(args.source), results)


if __name__ == "__main__":
    job.run(main)
