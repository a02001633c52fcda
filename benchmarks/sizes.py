#!/usr/bin/env python3
"""What our upscaling job takes as frames grow and as they become many, and what a workflow leaves on the disk.

    python benchmarks/sizes.py [--sizes WIDTHxHEIGHT …] [--counts N …] [--rounds N] [--threads N] [--out FOLDER]

| column | what it says |
|---|---|
| first | seconds of a clip of one frame: nearly all of it is the start |
| frame | seconds of a further frame |
| of a megapixel | the same for a million pixels of the source: even where time grows with the picture and no faster |
| MB | the most memory at once; flat where it does not grow with the clip |
| bytes | of what a step wrote, all frames together; "of the source": of the file |
"""

import statistics
from argparse import Namespace
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from jobs import Jobs, jobs
from measuring import ENGINES, PRECISIONS, Row, parser, publish, read, say

from restoration.frames import Frame

SMALL = (48, 64)


def main() -> None:
    """Measure and publish."""
    shared = parser(__doc__)
    shared.add_argument("--model", default="realesr-animevideov3-fp16")
    shared.add_argument("--engine", default=ENGINES[-1])
    shared.add_argument("--precision", default=PRECISIONS[-1])
    shared.add_argument("--sizes", nargs="+", default=["160x120", "320x240", "640x480", "1280x720"])
    shared.add_argument("--counts", nargs="+", type=int, default=[10, 100, 1000])
    shared.add_argument("--frames", type=int, default=4, help="at each size")
    args = shared.parse_args()
    with jobs(args.model, args.threads) as ready:
        tables = {
            "Size": [grown(ready, size, args) for size in args.sizes],
            f"Number of frames of {SMALL[1]}x{SMALL[0]}": [multiplied(ready, count, args) for count in args.counts],
            "Disk": left(ready, args),
        }
    about = f"{args.model}, {args.engine} {args.precision}, {args.threads} threads, {args.rounds} rounds."
    publish(args.out, "sizes", about, tables)


def grown(ready: Jobs, size: str, args: Namespace) -> Row:
    """What frames of this *size* take."""
    width, height = map(int, size.split("x"))
    clip = ready.clip(size, read(args.clip, args.frames, (height, width)))
    single = ready.clip(f"{size}-single", read(args.clip, 1, (height, width)))
    first, further, most = [], [], 0.0
    for _ in range(args.rounds):
        begin, _ = ready.job(single, args.engine, args.precision)
        whole, _ = ready.job(clip, args.engine, args.precision)
        first.append(begin.seconds)
        further.append((whole.seconds - begin.seconds) / (clip.frames - 1))
        most = max(most, whole.megabytes)
    say(f"{size}: {further}")
    frame = statistics.median(further)
    each = {"frame": frame, "of a megapixel": frame / width / height * 1e6}
    return {"size": size, "first": statistics.median(first), **each, "MB": most}


def multiplied(ready: Jobs, count: int, args: Namespace) -> Row:
    """What a chunk of so many frames takes, no two of them alike."""
    clip = ready.clip(f"{count}", different(args.clip, count))
    cost, _ = ready.job(clip, args.engine, args.precision)
    say(f"{count} frames: {cost}")
    return {"frames": count, "seconds": cost.seconds, "MB": cost.megabytes}


def different(clip: Path, count: int) -> Iterator[Frame]:
    """So many small frames: those of a *clip* over and over, moved on each time."""
    frames = cycle(read(clip, size=SMALL))
    return (
        np.roll(frame, (number // 2048, number // 32), axis=(0, 1))
        for number, frame in enumerate(islice(frames, count))
    )


def left(ready: Jobs, args: Namespace) -> list[Row]:
    """What each step of the workflow wrote."""
    clip = ready.clip("workflow", read(args.clip, args.frames))
    _, result = ready.workflow(clip, args.engine, args.precision)
    source = clip.video.stat().st_size
    steps = (result.parents[2] / "work" / "clip").glob("*.*/")
    written = {step.name.partition(".")[0]: bytes_in(step) for step in sorted(steps)}
    sizes = {"source": source, **written, "result": result.stat().st_size}
    return [
        {"step": step, "bytes": size, "of a frame": size // clip.frames, "of the source": size / source}
        for step, size in sizes.items()
    ]


def bytes_in(folder: Path) -> int:
    """Bytes in a *folder*."""
    return sum(file.stat().st_size for file in folder.iterdir())


if __name__ == "__main__":
    main()
