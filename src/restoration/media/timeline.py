"""The timeline: which frames a video has, and when each is shown, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS: dict[str, Any] = {
    "pts": np.int64,
    "duration": np.int64,
    "shot": np.int64,
    "duplicate_of": np.int64,
    "hash": object,
    "entry": "Int64",
    "light": np.float64,
    "change": np.float64,
    "colour": np.float64,
    "captions": object,
}

CONSTANT_SHARE, GAP = 0.8, 1.5
"""Share of equal durations that makes a frame rate constant, and how much longer than usual a gap is."""


@dataclass(frozen=True)
class Timeline:
    """One row per frame, `pts` strictly rising; times are in units of *time_base* seconds, as in the source.

    `shot` numbers the shots from 0; `duplicate_of` is the index of the first identical frame, -1 if there is none
    earlier; `hash` is `restoration.frames.frame_hash` of the decoded RGB picture; `entry` is where decoding can begin
    with this frame, in the source's own clock, missing where it cannot; `light` and `change` are the mean brightness
    and the mean difference from the frame before, `colour` how much its hues differ, all of 255
    (`restoration.media.looks`); `captions` are the bytes of
    closed captions in hexadecimal.
    """

    time_base: Fraction
    table: pd.DataFrame

    @classmethod
    def build(
        cls,
        time_base: Fraction,
        pts: list[int],
        last_duration: int,
        cuts: list[int],
        hashes: list[str],
        **columns: Sequence[Any] | NDArray[Any],
    ) -> Timeline:
        """From every frame's pts and hash, the last one's duration, the first frame of each later shot (*cuts*), and
        what else is known: `entry`, `light`, `change`, `colour`, `captions`."""
        frames = np.arange(len(pts))
        first_seen = pd.Series(frames).groupby(hashes).transform("first").to_numpy()
        table = pd.DataFrame(
            {
                "pts": pts,
                "duration": np.diff(pts, append=pts[-1] + last_duration),
                "shot": np.searchsorted(cuts, frames, side="right"),
                "duplicate_of": np.where(first_seen < frames, first_seen, -1),
                "hash": hashes,
                "entry": None,
                "light": 0.0,
                "change": 0.0,
                "colour": 0.0,
                "captions": "",
            }
            | columns
        )
        return cls(time_base, table.astype(COLUMNS))

    @property
    def pts(self) -> NDArray[np.int64]:
        """Presentation time of every frame."""
        return self.table["pts"].to_numpy()

    @property
    def end(self) -> int:
        """When the last frame ends."""
        return int(self.table["pts"].iloc[-1] + self.table["duration"].iloc[-1])

    def since_first(self, pts: int) -> Fraction:
        """Seconds from the first frame to *pts*."""
        return (int(pts) - int(self.table["pts"].iloc[0])) * self.time_base

    def times(self) -> list[Fraction]:
        """When each frame is shown, in seconds after the first."""
        first = int(self.pts[0])
        return [(pts - first) * self.time_base for pts in self.pts.tolist()]

    def entries(self) -> dict[int, int]:
        """The frame that comes first when decoding begins at each entry."""
        entries = self.table["entry"].dropna()
        return dict(zip(entries.tolist(), entries.index.tolist(), strict=True))

    def frames_within(self, seconds: float) -> int | None:
        """How many frames begin within the first *seconds*; None, for all, where these are 0."""
        if not seconds:
            return None
        return int(((self.pts - self.pts[0]) * float(self.time_base) < seconds).sum())

    def shots(self) -> list[tuple[int, int]]:
        """First and last frame of every shot."""
        frames = self.table.index.to_series().groupby(self.table["shot"])
        return list(zip(frames.min().tolist(), frames.max().tolist(), strict=True))

    def colours(self) -> NDArray[np.float64]:
        """For every frame, how much the hues differ in the typical frame of its shot."""
        return self.table.groupby("shot")["colour"].transform("median").to_numpy()

    def gaps(self) -> list[str]:
        """Where pictures are missing in a video whose frames otherwise last equally long."""
        durations = self.table["duration"].iloc[:-1]
        usual = durations.mode().iloc[0] if len(durations) else 0
        if (durations == usual).mean() < CONSTANT_SHARE:
            return []
        return [
            f"about {round(duration / usual) - 1} frames are missing after frame {frame}"
            for frame, duration in durations[durations > GAP * usual].items()
        ]

    def write(self, path: Path) -> None:
        """Write as TSV under a first line that tells the time base."""
        with path.open("w") as handle:
            handle.write(f"# time_base {self.time_base}\n")
            self.table.to_csv(handle, sep="\t", index_label="frame")

    @classmethod
    def read(cls, path: Path) -> Timeline:
        """Read what `write` wrote."""
        with path.open() as handle:
            time_base = Fraction(handle.readline().split()[-1])
            table = pd.read_csv(handle, sep="\t", index_col="frame", dtype=COLUMNS)
            return cls(time_base, table.fillna({"captions": ""}))
