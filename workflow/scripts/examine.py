#!/usr/bin/env python3
"""Measure what is wrong with every frame of one chunk, against the frames before it and beside it."""

import json

from restoration.engines.engine import use
from restoration.files import atomic
from restoration.film.survey import REACH, examined
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.reel import Reel
from restoration.stages.runner import prefetch, progress


def main() -> None:
    args = job.parse(job.film_parser(__doc__))
    use(args.threads)
    span, reel = Span.parse(args.output.stem), Reel(args.inputs)
    shots = Timeline.read(args.timeline).table["shot"].tolist()
    seen = reel.seen(reel.around(span, REACH), shots, json.loads(args.probe.read_text())["content"])
    looks = examined(prefetch(seen, depth=4), range(span.first, span.last + 1), args.spec["measured"])
    with atomic(args.output) as temporary:
        temporary.write_text(json.dumps(list(progress(looks, len(span)))))


if __name__ == "__main__":
    job.run(main)
