"""What benchmarks share: time, memory and fidelity, in ratios, and tables in JSON and Markdown. Light to import: what a
process costs is told wrong by one that is larger."""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from restoration.frames import Frame, resized  # noqa: E402
from restoration.pipeline.cost import Cost, cost  # noqa: E402

T = TypeVar("T")

CPUINFO = Path("/proc/cpuinfo")
KNOWS_BF16 = not CPUINFO.exists() or re.search(r"\b\w*bf16\b", CPUINFO.read_text()) is not None
PRECISIONS = ("fp32", "bf16") if KNOWS_BF16 else ("fp32",)
"""Those that are worth measuring: PyTorch emulates the latter, many times slower, and OpenVINO takes fp32 instead."""
ENGINES = ("torch", "openvino")
OURS = [(engine, precision) for engine in ENGINES for precision in PRECISIONS]

DEMO = ROOT / "demo" / "kinescope.mp4"
TIMES = ("times", "times CPU", "of framelift", "times a frame", "CPU a frame")
FORMATS = dict.fromkeys(TIMES, ".2f") | {"peak": ".0%", "idle": ".0%", "PSNR": ".1f", "MB": ".0f"}
"""Of the columns of tables; numbers in others have three digits."""
PACKAGES = ("torch", "openvino", "ncnn", "realesrgan", "framelift-video", "deoldify", "gfpgan")

Row = dict[str, Any]


def parser(description: str | None) -> ArgumentParser:
    """A parser with what all benchmarks understand."""
    shared = ArgumentParser(description=description)
    shared.add_argument("--rounds", type=int, default=2, help="how often everything is measured in turn")
    shared.add_argument("--threads", type=int, default=2)
    shared.add_argument("--clip", type=Path, default=DEMO)
    shared.add_argument("--out", type=Path, default=ROOT / "bench", help="folder for tables in JSON and Markdown")
    return shared


def read(clip: Path, count: int | None = None, size: tuple[int, int] | None = None) -> Iterator[Frame]:
    """The first frames of a *clip*, (height, width) in *size* if that is given."""
    with av.open(clip) as container:
        for decoded in islice(container.decode(video=0), count):
            frame = decoded.to_ndarray(format="rgb24")
            yield resized(frame, size) if size else frame


def timed(call: Callable[[], T]) -> tuple[Cost, T]:
    """What a call costs, and what it gives."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    result = call()
    return Cost(time.perf_counter() - begin, time.process_time() - begin_cpu), result


def spend(command: Sequence[Any], folder: Path, environment: Mapping[str, str] | None = None) -> tuple[Cost, str]:
    """What a process costs, its children included (of memory the largest of them), and what it says."""
    begin = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=folder,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words = said.read()
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{words[-3000:]}")
    return cost(time.monotonic() - begin, usage), words


def times(those: Sequence[Cost], these: Sequence[Cost]) -> float:
    """How many times as long *those* take, measured in turn with *these*: what else the machine did met both alike."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(those, these, strict=True))


def times_cpu(those: Sequence[Cost], these: Sequence[Cost]) -> float:
    """The same in seconds of the processor, which tells more on a machine that others use."""
    return statistics.median(a.cpu_seconds / b.cpu_seconds for a, b in zip(those, these, strict=True))


def median(costs: Sequence[Cost]) -> float:
    """Of seconds by the clock."""
    return statistics.median(cost.seconds for cost in costs)


def squared_error(a: Frame, b: Frame) -> float:
    """Mean of all samples."""
    return float(((a.astype(np.float32) - b) ** 2).mean())


def psnr(error: float) -> float | str:
    """Of a mean squared error, in dB."""
    return float(10 * np.log10(255**2 / error)) if error else "same"


def say(words: str) -> None:
    """Tell how far a benchmark is."""
    print(words, file=sys.stderr, flush=True)


def publish(folder: Path, name: str, about: str, tables: Mapping[str, Sequence[Row]]) -> None:
    """Print *tables*, each under its title, and write them to *name*.md and *name*.json in *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = conditions()
    text = f"{about}\n\n{machine}\n" + "".join(f"\n{title}\n\n{markdown(rows)}" for title, rows in tables.items())
    (folder / f"{name}.md").write_text(text)
    (folder / f"{name}.json").write_text(
        json.dumps({"about": about, "machine": machine, "tables": tables}, indent=1, default=str)
    )
    print(text)


def conditions() -> str:
    """The machine and the versions that were measured."""
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    bf16 = "knows bf16" if KNOWS_BF16 else "does not know bf16, which is left out"
    load = f"load {os.getloadavg()[0]:.1f} at the end"
    return f"{model}, {os.cpu_count()} cores, {bf16}; {load}; {', '.join(_installed())}."


def _installed() -> Iterator[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"no {package}"


def markdown(rows: Sequence[Row]) -> str:
    """A table; its columns are those of the first row."""
    columns = list(rows[0]) if rows else []
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(column, row.get(column)) for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(column: str, value: object) -> str:
    if isinstance(value, float):
        return format(value, FORMATS.get(column, ".3g" if value < 1000 else ".0f"))
    return "" if value is None else str(value)
