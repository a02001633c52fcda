#!/usr/bin/env python3
"""Restore the faces of one chunk, with a mask of what is invented and a record of every face."""

import json
from pathlib import Path

from restoration.engines.engine import use
from restoration.faces.identity import Identity
from restoration.faces.judge import Verdict
from restoration.faces.restore import FaceParser, FaceRestorer
from restoration.faces.tracks import Track
from restoration.files import atomic
from restoration.media.chunks import read_chunk, read_pictures
from restoration.pipeline import job
from restoration.pipeline.flight import require_unchanged
from restoration.pipeline.plan import Span
from restoration.stages.faces import Faces, write_faces
from restoration.stages.runner import restored_chunk
from restoration.stages.upscale import upscaler_of


def main() -> None:
    parser = job.network_parser(__doc__)
    parser.add_argument("--source", required=True, type=Path, help="the chunk as it was before upscaling")
    parser.add_argument("--tracks", required=True, type=Path, help="what the job track found")
    parser.add_argument("--invented", required=True, type=Path, help="chunk of masks to write")
    parser.add_argument("--entries", required=True, type=Path, help="JSON to write, with an entry per face and frame")
    parser.add_argument("--upscaling", required=True, help="spec of the step upscale, as JSON")
    parser.add_argument(
        "--upscaler", required=True, type=Path, nargs="*", help="its weights where the chunk is to be upscaled first"
    )
    args = job.parse(parser)
    use(args.threads, args.engine)
    spec, found = args.spec, json.loads(args.tracks.read_text())
    span = Span.parse(args.output.stem)
    tracks = [Track(**track) for track in found["tracks"]]
    verdicts = [Verdict(**verdict) for verdict in found["verdicts"]]
    networks = zip(args.weights, spec["weights"], strict=True)  # in this order
    restorer = face_parser = identity = None
    if any(track.first <= span.last and track.last >= span.first for track in tracks):
        restorer = FaceRestorer(
            *next(networks), fidelity=spec["fidelity"], precision=spec["precision"], device=args.device
        )
        face_parser = FaceParser(*next(networks), device=args.device) if "parser" in spec else None
        identity = Identity(*next(networks)) if "identity" in spec else None
    stage = Faces(
        tracks,
        verdicts,
        restorer,
        face_parser,
        identity=identity,
        strength=spec["strength"],
        refuse_below=spec["refuse_below"],
        batch=args.batch,
    )
    if args.upscaler:
        require_unchanged(args.video, "upscale", args.upscaling)
        upscaling = json.loads(args.upscaling)
        upscaler = upscaler_of(upscaling, args.upscaler, device=args.device)
        pictures = restored_chunk(upscaler, args.input, span, batch=args.batch, same_below=upscaling["same_below"])
    else:
        pictures = read_pictures(args.input)
    frames = zip(range(span.first, span.last + 1), read_chunk(args.source), pictures, strict=True)
    entries = write_faces(args.output, args.invented, stage.shown(frames), expected=len(span))
    with atomic(args.entries) as temporary:
        temporary.write_text(json.dumps(entries))


if __name__ == "__main__":
    job.run(main)
