#!/usr/bin/env python3
"""Record what was invented of the faces of a video: a JSON of every track and frame, and a mask as video."""

import json
from itertools import chain
from pathlib import Path

from restoration.faces.record import record
from restoration.files import atomic
from restoration.media.chunks import read_chunk
from restoration.media.masks import write_mask
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import beside


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--tracks", required=True, type=Path)
    parser.add_argument(
        "--invented", required=True, type=Path, help="masks of the first chunk; the others lie beside it"
    )
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk, by which they were cut")
    parser.add_argument("--mask", required=True, type=Path, help="video to write")
    args = job.parse(parser)
    shots, timeline = json.loads(args.probe.read_text())["shots"], Timeline.read(args.timeline)
    chunks = beside(args.invented, shots, args.chunk_frames)
    entries = [
        entry
        for path in chunks
        for entry in json.loads(path.with_name(path.name.replace(".invented.mkv", ".json")).read_text())
    ]
    masks = (mask[..., 0] for mask in chain.from_iterable(map(read_chunk, chunks)))
    write_mask(args.mask, masks, timeline, trimmed=args.spec["trimmed"])
    with atomic(args.output) as temporary:
        temporary.write_text(
            json.dumps(record(json.loads(args.tracks.read_text()), entries, args.spec["networks"], timeline), indent=1)
        )


if __name__ == "__main__":
    job.run(main)
