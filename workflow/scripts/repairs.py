#!/usr/bin/env python3
"""Record what was repaired of a video: a JSON of every shot and frame, and a mask as video."""

import json
from itertools import chain
from pathlib import Path
from typing import Any

from restoration.files import atomic
from restoration.film.record import merged, record
from restoration.media.chunks import read_chunk
from restoration.media.masks import write_mask
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import beside


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--survey", nargs="?", type=Path, help="what the job survey found, if the film was repaired")
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk, by which they were cut")
    parser.add_argument("--mask", required=True, type=Path, help="video to write")
    parser.add_argument(
        "--first-masks", required=True, nargs="+", type=Path, help="of each step the first; the others lie beside it"
    )
    args = job.parse(parser)
    shots, timeline = json.loads(args.probe.read_text())["shots"], Timeline.read(args.timeline)
    chunks = [beside(first, shots, args.chunk_frames) for first in args.first_masks]
    entries: list[dict[str, Any]] = [{"frame": number} for number in range(len(timeline.pts))]
    suffered = []
    if args.survey:
        with args.survey.open() as file:
            suffered = json.loads(file.readline())
    if "repair" in args.spec["settings"]:
        told = [path.with_name(path.name.replace(".mask.mkv", ".json")) for path in chunks[0]]
        entries = [entry for path in told for entry in json.loads(path.read_text())]
    masks = zip(*(chain.from_iterable(map(read_chunk, of_step)) for of_step in chunks), strict=True)
    together = merged(masks, entries, painted="detector" in args.spec["networks"])
    write_mask(args.mask, together, timeline, trimmed=args.spec["trimmed"])
    with atomic(args.output) as temporary:
        temporary.write_text(json.dumps(record(args.spec, suffered, entries, timeline), indent=1))


if __name__ == "__main__":
    job.run(main)
