"""What a manifest will cost: samples of its videos are restored and timed, and the rest is a matter of proportion.

Every job takes a time to begin, whatever its length, and a time for each frame; two samples of different length tell
both (of a still image, of different size). Frames are scaled by their number of pixels, except where a step works at a
size of its own.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import NamedTuple

from restoration.files import atomic
from restoration.pipeline.cost import read_cost
from restoration.pipeline.plan import Span, chunks
from restoration.pipeline.steps import RESTORING_STAGES, USED_UP

SAMPLES, SAMPLES_OF_FAST = (4, 12), (24, 96)
"""Frames of both samples; where a frame takes milliseconds, only many of them show."""
ON_GPU = ("retouch", "clean", "colorize", "upscale", "detect", "track", "faces")
ANY_SIZE = ("colorize",)
"""Steps whose networks see every picture at one size."""
OF_CHUNKS = ("frames", "examine", "detect", *RESTORING_STAGES)
"""Steps that are a job for each chunk; the others are one for a video."""
ONCE = ("quantize",)
"""Steps that take the same for a short video and a long one."""
SPENT = ("probe",)
"""Steps that are done before anything can be forecast."""
RESULT = "result"
"""Instead of a step: what is delivered."""
GIGABYTE = 1e9


class Amount(NamedTuple):
    """Seconds by the clock and of the processor, and bytes that are written."""

    seconds: float = 0
    cpu_seconds: float = 0
    bytes: float = 0


class Rate(NamedTuple):
    """What a job of one step takes before its first frame, and for each frame."""

    begin: Amount
    frame: Amount


@dataclass(frozen=True)
class Calibration:
    """What steps cost where frames have so many *pixels* in the source, and whether networks ran on a GPU."""

    pixels: int
    gpu: bool
    rates: dict[str, Rate]

    def write(self, path: Path) -> None:
        """Write as JSON."""
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> "Calibration":
        """Read what `write` wrote."""
        said = json.loads(path.read_text())
        rates = {step: Rate(*(Amount(*part) for part in rate)) for step, rate in said["rates"].items()}
        return cls(said["pixels"], said["gpu"], rates)


@dataclass(frozen=True)
class Forecast:
    """Of one video. `gpu_hours` is the time of jobs that hold a GPU, `cpu_hours` that of all jobs on one core.

    `kept_gb` stays on disk, the result included; `peak_gb` is needed if all chunks pass one step before the next.
    """

    video: str
    frames: int
    gpu_hours: float = 0
    cpu_hours: float = 0
    kept_gb: float = 0
    peak_gb: float = 0


def sample_spans(frames: int, *, fast: bool) -> tuple[Span, Span]:
    """A short and a long run from the middle of a video of so many *frames*; *fast*: for a GPU."""
    short, long = SAMPLES_OF_FAST if fast else SAMPLES
    long = min(long, frames)
    short = min(short, -(-long // 2))
    first = (frames - long) // 2
    return Span(first, first + short - 1), Span(first, first + long - 1)


def calibration(folder: Path, samples: Mapping[str, float], pixels: int, *, gpu: bool) -> Calibration:
    """From the run in *folder*, in which two *samples* were restored: their names, and how many frames they are, or
    what part of one."""
    (short, few), (long, many) = sorted(samples.items(), key=lambda sample: sample[1])
    less, more = (_amounts(folder, video) for video in (short, long))
    rates = {}
    for step, amount in more.items():
        lines = [_line(few, a, many, b) for a, b in zip(less.get(step, amount), amount, strict=True)]
        rates[step] = Rate(amount, Amount()) if step in ONCE else Rate(*(Amount(*p) for p in zip(*lines, strict=True)))
    return Calibration(pixels, gpu, rates)


def _amounts(folder: Path, video: str) -> dict[str, Amount]:
    """What all jobs of a video took, by step."""
    found: dict[str, Amount] = {RESULT: Amount(bytes=_size((folder / "results" / video).iterdir()))}
    logs = folder / "logs" / video
    for log in logs.rglob("*.log"):
        step = log.relative_to(logs).parts[0].partition(".")[0]
        if (cost := read_cost(log)) and step not in SPENT:
            earlier = found.get(step, Amount())
            size = _size((folder / "work" / video).glob(f"{step}.*/*.mkv"))
            found[step] = Amount(earlier.seconds + cost.seconds, earlier.cpu_seconds + cost.cpu_seconds, size)
    return found


def _size(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _line(few: float, less: float, many: float, more: float) -> tuple[float, float]:
    """Where the line through both points begins, and how it rises; neither below 0, whatever chance has measured.

    One point alone (a video of one frame) tells nothing of a beginning.
    """
    rise = max(0.0, (more - less) / (many - few)) if many > few else more / many
    return max(0.0, more - rise * many), rise


def forecast(
    probes: Mapping[str, Path], calibrations: Mapping[str, Calibration], *, longest: int, keep: str
) -> Iterator[Forecast]:
    """For each video, by its probe and the calibration that holds for it.

    *longest* is that of chunks, *keep* the setting of that name.
    """
    for video, probe in probes.items():
        yield _forecast(video, json.loads(probe.read_text()), calibrations[video], longest, keep)


def _forecast(video: str, description: dict[str, object], known: Calibration, longest: int, keep: str) -> Forecast:
    frames, shots, size = (description[key] for key in ("frames", "shots", "size"))
    assert isinstance(frames, int) and isinstance(shots, list) and isinstance(size, list)
    jobs, scale = len(chunks(shots, longest)), size[0] * size[1] / known.pixels
    hours, held = defaultdict[bool, float](float), defaultdict[bool, float](float)
    for step, rate in known.rates.items():
        begins = jobs if step in OF_CHUNKS else 1
        larger = 1 if step in ANY_SIZE else scale
        seconds, cpu_seconds, _ = (begins * a + frames * larger * b for a, b in zip(*rate, strict=True))
        hours[True] += known.gpu * (step in ON_GPU) * seconds / 3600
        hours[False] += cpu_seconds / 3600
        held[step in USED_UP[keep]] += (begins * rate.begin.bytes + frames * scale * rate.frame.bytes) / GIGABYTE
    return Forecast(video, frames, hours[True], hours[False], held[False], held[False] + held[True])


def write_forecast(rows: Iterable[Forecast], target: Path, *, unreadable: Sequence[str]) -> str:
    """Write a table with a row for each video (TSV), and say in some lines what all will cost."""
    rows = list(rows)
    with atomic(target) as temporary, temporary.open("w", newline="") as handle:
        table = csv.writer(handle, dialect="excel-tab")
        table.writerow(field.name for field in fields(Forecast))
        table.writerows([row.video, row.frames, *(f"{value:.4g}" for value in astuple(row)[2:])] for row in rows)
    gpu, cpu = sum(row.gpu_hours for row in rows), sum(row.cpu_hours for row in rows)
    kept, peak = sum(row.kept_gb for row in rows), sum(row.peak_gb for row in rows)
    alone = max((row.peak_gb - row.kept_gb for row in rows), default=0)
    meanwhile = f"{kept + alone:.2f} GB, one video after the other, to {peak:.2f} GB"
    lines = [
        f"Forecast for {len(rows)} videos, {sum(row.frames for row in rows)} frames; see {target}",
        f"  time:  {f'{gpu:.2f} hours of a GPU, ' if gpu else ''}{cpu:.2f} hours of a processor core",
        f"  space: {kept:.2f} GB in the end; meanwhile {meanwhile}",
    ]
    if unreadable:
        lines.append(f"  without what cannot be read: {', '.join(unreadable)}")
    return "\n".join(lines)
