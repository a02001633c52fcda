#!/usr/bin/env python3
"""Find the faces in one chunk."""

import json

from restoration.engines.engine import use
from restoration.faces.detect import Detector
from restoration.files import atomic
from restoration.media.chunks import read_chunk
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.runner import prefetch, progress


def main() -> None:
    args = job.parse(job.network_parser(__doc__))
    use(args.threads)
    detector = Detector(
        *args.weights,
        *args.spec["weights"],
        min_score=args.spec["min_score"],
        min_size=args.spec["min_size"],
        device=args.device,
    )
    span = Span.parse(args.output.stem)
    frames = progress(prefetch(read_chunk(args.input), depth=2), len(span))
    found = {number: detector.detect(frame[None])[0] for number, frame in enumerate(frames, span.first)}
    with atomic(args.output) as temporary:
        temporary.write_text(
            json.dumps({number: [face.to_json() for face in faces] for number, faces in found.items() if faces})
        )


if __name__ == "__main__":
    job.run(main)
