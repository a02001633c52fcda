#!/usr/bin/env python3
"""Record the provenance of a restored video, and export it for archives (PREMIS) and for the web (PROV)."""

import json
from datetime import UTC, datetime
from pathlib import Path

from restoration.files import atomic
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.provenance.premis import premis
from restoration.provenance.prov import prov
from restoration.provenance.record import build_record


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--files", required=True, nargs="+", type=Path, help="all that was delivered")
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk")
    parser.add_argument("--device", required=True, help="what the settings say, as the next three: auto, cpu, …")
    parser.add_argument("--engine", required=True, help="auto, torch or openvino")
    parser.add_argument("--threads", required=True, type=int, help="processor cores of a job")
    parser.add_argument("--batch", required=True, type=int, help="frames that a network sees at once")
    parser.add_argument("--premis", required=True, type=Path, help="XML to write")
    parser.add_argument("--prov", required=True, type=Path, help="JSON-LD to write")
    args = job.parse(parser)
    description, timeline = json.loads(args.probe.read_text()), Timeline.read(args.timeline)
    machine = {option: getattr(args, option) for option in ("chunk_frames", "device", "engine", "threads", "batch")}
    record = build_record(args.video, args.spec, description, timeline, args.files, machine)
    made = datetime.fromtimestamp(args.files[0].stat().st_mtime, UTC)
    written = {
        args.premis: premis(record, made),
        args.prov: prov(record),
        args.output: json.dumps(record, indent=1) + "\n",
    }
    for target, text in written.items():
        with atomic(target) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    job.run(main)
