"""What jobs cost: each says so at the end of its log, where forecasts read it."""

import re
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

MEGABYTE = 2**20


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of the processor, and the most memory at once, in MB."""

    seconds: float
    cpu_seconds: float
    megabytes: float = 0

    SAID = re.compile(r"Took ([\d.]+) s, ([\d.]+) CPU s, ([\d.]+) MB$", re.MULTILINE)

    def __str__(self) -> str:
        return f"Took {self.seconds:.2f} s, {self.cpu_seconds:.2f} CPU s, {self.megabytes:.0f} MB"


def cost(seconds: float, usage: resource.struct_rusage) -> Cost:
    """What the system says that a process has used, in so many *seconds*."""
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / MEGABYTE)


def spent() -> Cost:
    """What this process has cost since it began."""
    return cost(time.time() - psutil.Process().create_time(), resource.getrusage(resource.RUSAGE_SELF))


def read_cost(log: Path) -> Cost | None:
    """What the job of this *log* said that it cost; None if it did not end well."""
    said = Cost.SAID.findall(log.read_text(errors="replace"))
    return Cost(*map(float, said[-1])) if said else None
