#!/usr/bin/env python3
"""Whole jobs: a clip enlarged by us, by Real-ESRGAN's own loop and by framelift-video, start of the process included.

    python benchmarks/end_to_end.py [--model MODEL] [--size WIDTHxHEIGHT] [--frames N] [--rounds N] [--threads N] …

All contenders have the same clip, weights, threads and settings of x264, and take turns. Ours is measured twice: the
job alone, as Snakemake calls it (it reads a lossless chunk and writes a larger one, which costs about what H.264 does),
and the workflow: from a file to a delivered file with probing, the proof of every frame, and Snakemake.

| column | what it says |
|---|---|
| seconds | of the whole clip, median |
| times | how many times as fast as the official loop: median of the ratios round by round |
| of framelift | the same, to framelift as it comes |
| first | seconds of a clip of one frame: nearly all of it is the start |
| frame | seconds of a further frame: what counts where clips are long |
| times a frame | how many times as fast as the official loop in further frames |
| CPU a frame | the same in seconds of the processor, which tells more on a machine that others use |
| idle | share of the further frames' time in which the engine alone would have been done |
| MB | the most memory at once, of the largest process |
| PSNR | dB, of the result as it was written to ours in fp32 by PyTorch; of files in H.264 it is H.264's |
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from jobs import INSTALL_FRAMELIFT, Clip, Jobs, jobs
from measuring import (
    ENGINES,
    OURS,
    PRECISIONS,
    Row,
    median,
    parser,
    psnr,
    publish,
    read,
    say,
    squared_error,
    times,
    times_cpu,
)

import originals
from restoration.pipeline.cost import Cost

Contender = Callable[[Clip], tuple[Cost, Path]]

OFFICIAL, FRAMELIFT = "the official loop", "framelift, torch"
REFERENCE = "torch fp32"
FASTEST = ENGINES[-1], PRECISIONS[-1]


def main() -> None:
    """Measure and publish."""
    shared = parser(__doc__)
    shared.add_argument("--model", default="realesr-animevideov3-fp16")
    shared.add_argument("--size", default="320x240")
    shared.add_argument("--frames", type=int, default=24)
    args = shared.parse_args()
    width, height = map(int, args.size.split("x"))
    frames = list(read(args.clip, args.frames, (height, width)))
    with jobs(args.model, args.threads) as ready:
        clip, single = ready.clip("clip", frames), ready.clip("single", frames[:1])
        half = frames[: -(-len(frames) // 2)]
        doubled = ready.clip("doubled", list(chain.from_iterable(zip(half, half, strict=True)))[: len(frames)])
        del frames, half  # processes start smaller
        tables = {
            f"{args.model}, {clip.frames} frames of {args.size}": compared(ready, clip, single, args.rounds),
            "Every frame twice, against as many different ones": repeated(ready, clip, doubled, single, args.rounds),
        }
    publish(args.out, "end_to_end", f"Whole jobs, {args.threads} threads, {args.rounds} rounds.", tables)


def compared(ready: Jobs, clip: Clip, single: Clip, rounds: int) -> list[Row]:
    """A row for each contender that is installed."""
    contenders = installed(ready)
    whole: dict[str, list[Cost]] = {name: [] for name in contenders}
    first: dict[str, list[Cost]] = {name: [] for name in contenders}
    bare: dict[str, list[Cost]] = {f"{engine} {precision}": [] for engine, precision in OURS}
    results: dict[str, Path] = {}
    for number in range(rounds):
        for name, run in contenders.items():
            first[name].append(run(single)[0])
            cost, results[name] = run(clip)
            whole[name].append(cost)
            say(f"round {number + 1}: {name}: {first[name][-1].seconds:.1f} s, then {cost.seconds:.1f} s")
        for engine, precision in OURS:
            bare[f"{engine} {precision}"].append(ready.bare(clip, engine, precision))
    further = {name: [less(*pair) for pair in zip(costs, first[name], strict=True)] for name, costs in whole.items()}
    rows = []
    for name, costs in whole.items():
        engine = name.removeprefix("our job, ")
        rows.append(
            {
                "contender": name,
                "seconds": median(costs),
                "times": against(OFFICIAL, whole, name),
                "of framelift": against(FRAMELIFT, whole, name),
                "first": median(first[name]),
                "frame": median(further[name]) / (clip.frames - 1),
                "times a frame": against(OFFICIAL, further, name),
                "CPU a frame": against(OFFICIAL, further, name, times_cpu),
                "idle": 1 - (clip.frames - 1) * times(bare[engine], further[name]) if engine in bare else None,
                "MB": max(cost.megabytes for cost in costs),
                "PSNR": fidelity(results[name], results[f"our job, {REFERENCE}"]),
            }
        )
    return rows


def against(
    other: str,
    costs: Mapping[str, Sequence[Cost]],
    name: str,
    of: Callable[[Sequence[Cost], Sequence[Cost]], float] = times,
) -> float | None:
    """How many times as fast as another contender, if that is there."""
    return of(costs[other], costs[name]) if other in costs else None


def installed(ready: Jobs) -> dict[str, Contender]:
    """The contenders that are there; of others it says how to install them."""
    contenders: dict[str, Contender] = {}
    try:
        originals.realesrgan()
        contenders[OFFICIAL] = ready.official_loop
    except originals.MissingError as missing:
        say(f"left out: {OFFICIAL}: {missing}")
    if ready.has_framelift():
        contenders[FRAMELIFT] = partial(ready.framelift, backend="torch")
        contenders["framelift, openvino"] = partial(ready.framelift, backend="openvino")
    else:
        say(f"left out: framelift: it does not know {ready.model}, or is not installed: {INSTALL_FRAMELIFT}")
    for engine, precision in OURS:
        contenders[f"our job, {engine} {precision}"] = partial(ready.job, engine=engine, precision=precision)
    for precision in PRECISIONS:
        contenders[f"our workflow, openvino {precision}"] = partial(
            ready.workflow, engine="openvino", precision=precision
        )
    return contenders


def repeated(ready: Jobs, clip: Clip, doubled: Clip, single: Clip, rounds: int) -> list[Row]:
    """What exact repeats save our job, with its start and without."""
    engine, precision = FASTEST
    costs: dict[Clip, list[Cost]] = {single: [], clip: [], doubled: []}
    for _ in range(rounds):
        for one, taken in costs.items():
            taken.append(ready.job(one, engine, precision)[0])
    begin, usual, repeats = costs.values()
    further = [[less(*pair) for pair in zip(taken, begin, strict=True)] for taken in (repeats, usual)]
    return [
        {
            "engine": f"{engine} {precision}",
            "share of the time": times(repeats, usual),
            "without the start": times(*further),
            "CPU without the start": times_cpu(*further),
        }
    ]


def less(whole: Cost, begin: Cost) -> Cost:
    """What is left of a *whole* without its beginning."""
    return Cost(whole.seconds - begin.seconds, whole.cpu_seconds - begin.cpu_seconds)


def fidelity(result: Path, reference: Path) -> float | str:
    """PSNR of one file to another, frame by frame."""
    errors = [squared_error(a, b) for a, b in zip(read(result), read(reference), strict=True)]
    return psnr(statistics.mean(errors))


if __name__ == "__main__":
    main()
