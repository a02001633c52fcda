#!/usr/bin/env python3
"""Follow the faces of a video, choose those that are meant, and judge what the network makes of them."""

import json
from dataclasses import asdict
from pathlib import Path

from restoration.engines.engine import use
from restoration.faces.detect import Face
from restoration.faces.judge import judged
from restoration.faces.paste import soft_mask
from restoration.faces.restore import FaceRestorer
from restoration.faces.tracks import chosen, follow
from restoration.files import atomic
from restoration.pipeline import job
from restoration.pipeline.plan import beside
from restoration.stages.reel import Reel


def main() -> None:
    parser = job.network_parser(__doc__)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--faces", required=True, type=Path, help="those in the first chunk; the others lie beside it")
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk, by which they were cut")
    args = job.parse(parser)
    use(args.threads, args.engine)
    spec, description = args.spec, json.loads(args.probe.read_text())
    found: dict[int, list[Face]] = {}
    for path in beside(args.faces, description["shots"], args.chunk_frames):
        found |= {int(n): [Face.from_json(face) for face in faces] for n, faces in json.loads(path.read_text()).items()}
    tracks = chosen(
        follow(found, description["shots"], gap=spec["gap"], smoothing=spec["smoothing"]),
        description["size"],
        keep=spec["keep"],
        eye_distance=spec["eye_distance"],
        max_size=spec["max_size"],
        ignore=spec["ignore"],
        points=spec["points"],
    )
    verdicts = []
    if tracks:
        reel = Reel(beside(args.input, description["shots"], args.chunk_frames))
        restorer = FaceRestorer(
            *args.weights,
            *spec["weights"],
            fidelity=spec["fidelity"],
            precision=spec["precision"],
            device=args.device,
        )
        verdicts = judged(tracks, reel, restorer, soft_mask(), spec["refuse_below"])
    with atomic(args.output) as temporary:
        temporary.write_text(
            json.dumps(
                {"tracks": [asdict(track) for track in tracks], "verdicts": [asdict(verdict) for verdict in verdicts]}
            )
        )


if __name__ == "__main__":
    job.run(main)
