#!/usr/bin/env python3
"""Colorize one chunk, except for shots that have colour already."""

import json
from pathlib import Path

from restoration.engines.engine import use
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.chroma import lacks_colour
from restoration.stages.colorize import Colorizer, tell_coloured
from restoration.stages.runner import Stage, run_stage
from restoration.stages.within import Within


def main() -> None:
    parser = job.network_parser(__doc__)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--probe", required=True, type=Path, help="the description, which tells of black borders")
    args = job.parse(parser)
    use(args.threads, args.engine)
    stage: Stage = Colorizer(
        dict(zip(args.weights, args.spec["weights"], strict=True)),
        render_factor=args.spec["render_factor"],
        mix_weight=args.spec.get("mix_weight", 1),
        strength=args.spec["strength"],
        precision=args.spec["precision"],
        device=args.device,
    )
    if content := json.loads(args.probe.read_text())["content"]:
        stage = Within(stage, content)
    span, timeline = Span.parse(args.output.stem), Timeline.read(args.timeline)
    gray = lacks_colour(timeline, span.first, span.last, force=args.spec["force"])
    if not args.spec["force"]:
        tell_coloured(timeline, span.first, span.last)
    run_stage(stage, args.input, args.output, span, batch=args.batch, wanted=gray)


if __name__ == "__main__":
    job.run(main)
