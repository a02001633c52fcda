#!/usr/bin/env python3
"""Decide what is to be done about the defects of every frame, by what was measured of all frames of its shot.

Writes lines of JSON: what each shot suffers from, and the findings on each frame.
"""

import json
from dataclasses import asdict
from pathlib import Path

from restoration.files import atomic
from restoration.film.survey import surveyed
from restoration.pipeline import job
from restoration.pipeline.plan import beside


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--first-look", required=True, type=Path, help="of the first chunk; the others lie beside it")
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk, by which they were cut")
    args = job.parse(parser)
    description = json.loads(args.probe.read_text())
    files = beside(args.first_look, description["shots"], args.chunk_frames)
    looks = [look for file in files for look in json.loads(file.read_text())]
    width, height = (description["content"] or description["size"])[:2]
    told, findings = surveyed(looks, description["shots"], width, height)
    # A line for each frame: jobs read those that they need, of a hundred thousand.
    with atomic(args.output) as temporary, temporary.open("w") as file:
        file.writelines(f"{json.dumps(one)}\n" for one in (told, *map(asdict, findings)))


if __name__ == "__main__":
    job.run(main)
