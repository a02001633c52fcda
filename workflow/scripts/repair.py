#!/usr/bin/env python3
"""Repair one chunk, looking at its neighbours, too, with a mask of what was replaced and an entry for every frame."""

import json
from collections.abc import Iterator
from itertools import islice, repeat
from pathlib import Path
from typing import Any

from restoration.engines.engine import use
from restoration.files import atomic
from restoration.film.findings import Findings
from restoration.frames import Frame
from restoration.media.chunks import read_chunk
from restoration.media.masks import Mask, write_with_masks
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.reel import Reel
from restoration.stages.repair import CONTEXT, repaired, whole
from restoration.stages.runner import prefetch, progress


def main() -> None:
    parser = job.film_parser(__doc__)
    parser.add_argument("--survey", nargs="?", type=Path, help="what the job survey found; none for single frames")
    parser.add_argument("--mask", required=True, type=Path, help="chunk of masks to write")
    parser.add_argument("--entries", required=True, type=Path, help="JSON to write, with an entry per frame")
    args = job.parse(parser)
    use(args.threads)
    span, reel = Span.parse(args.output.stem), Reel(args.inputs)
    shots = Timeline.read(args.timeline).table["shot"].tolist()
    box = json.loads(args.probe.read_text())["content"]
    available = reel.around(span, CONTEXT)
    findings = dict.fromkeys(available, Findings())
    if args.survey:
        with args.survey.open() as file:
            lines = islice(file, 1 + available.start, 1 + available.stop)
            findings = {n: Findings.from_json(json.loads(line)) for n, line in zip(available, lines, strict=True)}
    frames = prefetch(reel.seen(available, shots, box), depth=4)
    chunk = next(path for path in args.inputs if path.stem == args.output.stem)
    entries: list[dict[str, Any]] = []

    def shown() -> Iterator[tuple[Frame, Mask]]:
        repairs = repaired(frames, available, range(span.first, span.last + 1), args.spec, findings)
        # Without borders there is nothing to put back, and no reason to decode the chunk again.
        sources = read_chunk(chunk) if box else repeat(None)
        for one, source in zip(repairs, sources, strict=False):
            entries.append(one.entry(args.spec))
            yield (one.frame, one.mask) if source is None else whole(one, source, box)

    masked = progress(prefetch(shown(), depth=4), len(span))
    write_with_masks(args.output, args.mask, masked, expected=len(span), source=chunk)
    with atomic(args.entries) as temporary:
        temporary.write_text(json.dumps(entries))


if __name__ == "__main__":
    job.run(main)
