"""What frames suffer from: each measured against those before it and beside it, and judged by all of its shot.

Frames that repeat the one before, as those of slow film in faster video do, tell nothing new: they are not measured,
and what holds for the one holds for them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from restoration.film import flicker, scratches, weave
from restoration.film.findings import Findings, line_of
from restoration.film.flicker import Tone
from restoration.film.grain import noise
from restoration.frames import Frame
from restoration.motion import Seen
from restoration.window import windows

Look = Mapping[str, Any]
"""What was measured of a frame, as JSON gives it: `same`, alone, where it repeats the one before; else `moved`
(`weave.moved`, by how many frames the other lies back), `changed` (`flicker.change`), `lines`
(`scratches.candidates`), `noise` (`grain.noise`), as far as they were asked for."""

NOISE_EVERY = 8
"""Frames of which the noise of one is measured: it is about the same in all of a shot."""
LEAST_NOISE = 0.5
"""Standard deviation, of 255, below which there is none to speak of: rounding alone makes 0.3."""
NEAR = 3
"""Neighbours on either side by which it is measured."""
REACH = max(NEAR, *weave.LAGS)
"""Frames of context that measuring needs on either side."""
REPEATS = 2
"""How often at most a frame gets what became of the one before; after that it is repaired for itself."""


def examined(frames: Iterable[Seen], wanted: range, measured: Collection[str]) -> Iterator[Look]:
    """Look at each of the *wanted* ones among *frames*, for what is to be *measured*: names of entries of a `Look`.

    REACH frames of context are needed on either side, as far as the video has them.
    """
    for middle, before, after in windows(frames, wanted, REACH):
        if before and np.array_equal(before[0].frame, middle.frame):
            yield {"same": True}
            continue
        look: dict[str, Any] = {}
        if "moved" in measured:
            earlier = {middle.number - seen.number: seen.luma for seen in before}
            look["moved"] = {lag: weave.moved(earlier[lag], middle.luma) for lag in weave.LAGS if lag in earlier}
        if "changed" in measured and before:
            look["changed"] = flicker.change(before[0].luma, middle.luma)
        if "lines" in measured:
            look["lines"] = [asdict(line) for line in scratches.candidates(middle.luma)]
        # In a shot that is too short for a turn, the second frame stands for all.
        if "noise" in measured and (middle.number % NOISE_EVERY == 0 or len(before) == 1):
            look["noise"] = noise(
                middle.frame, *([_evened(seen, middle) for seen in s[:NEAR]] for s in (before, after))
            )
        yield look


def _evened(seen: Seen, other: Seen) -> Frame:
    """*seen* in the exposure of the *other*: flicker is no noise."""
    return flicker.evened(seen.frame, flicker.change(seen.luma, other.luma) or flicker.NEUTRAL, 1)


def surveyed(
    looks: Sequence[Look], shots: Iterable[tuple[int, int]], width: int, height: int
) -> tuple[list[dict[str, Any]], list[Findings]]:
    """Judge the *looks* at all frames of a video, shot by shot (first and last frame each); *width* and *height* are
    those of the pictures.

    Gives what each shot suffers from, as far as it was measured: weave (rms, in pixels), flicker (rms of the logarithm
    of exposure), noise (standard deviation, of 255) and scratches (the most in one frame); and the findings on each
    frame.
    """
    told: list[dict[str, Any]] = []
    findings: list[Findings] = []
    for first, last in shots:
        shot = looks[first : last + 1]
        # Of every frame the number, among those that repeat none, of that which it repeats, or its own.
        numbers = (np.cumsum([not look.get("same") for look in shot]) - 1).tolist()
        found = _found([look for look in shot if not look.get("same")], _moved(shot, numbers), width, height)
        told.append({"first": first, "last": last} | _suffered(found, shot))
        same = 0
        for index, number in enumerate(numbers):
            repeats = index > 0 and number == numbers[index - 1] and same < REPEATS
            same = same + 1 if repeats else 0
            findings.append(replace(found[number], same=same))
    return told, findings


def _moved(shot: Sequence[Look], numbers: Sequence[int]) -> list[dict[int, Any]]:
    """What moved, of those that repeat none, by how many of these the other lies back."""
    return [
        {numbers[index] - numbers[index - int(lag)]: shift for lag, shift in look.get("moved", {}).items()}
        for index, look in enumerate(shot)
        if not look.get("same")
    ]


def _found(looks: Sequence[Look], moved: Sequence[dict[int, Any]], width: int, height: int) -> list[Findings]:
    """The findings on frames of one shot that repeat none."""
    shifts, places, parts = weave.surveyed(moved)
    tones = flicker.corrections([look.get("changed") for look in looks])
    scene = [steps[1][0] if steps.get(1) else 0.0 for steps in moved]
    lines = [list(map(line_of, look.get("lines", []))) for look in looks]
    confirmed = scratches.confirmed(lines, width, scene if any(moved) else None)
    noises = [look["noise"] for look in looks if "noise" in look]
    typical = float(np.median(noises)) if noises else 0.0
    level, zoom = typical if typical >= LEAST_NOISE else 0.0, weave.enlargement(shifts, height, width)
    return [
        Findings((right, down), (x, y), part, zoom, Tone(*tone), level, tuple(here))
        for (right, down), (x, y), part, tone, here in zip(
            shifts.tolist(), places.tolist(), parts.tolist(), tones, confirmed, strict=True
        )
    ]


def _suffered(found: Sequence[Findings], shot: Sequence[Look]) -> dict[str, float]:
    shifts, gains = np.array([one.shift for one in found]), np.array([one.tone.gain for one in found])
    told = {
        "moved": ("weave", round(float(np.sqrt((shifts**2).sum(axis=1).mean())), 3)),
        "changed": ("flicker", round(float(np.sqrt((gains**2).mean())), 4)),
        "noise": ("noise", round(found[0].noise, 2)),
        "lines": ("scratches", max(len(one.lines) for one in found)),
    }
    measured = {name for look in shot for name in look}
    return dict(pair for name, pair in told.items() if name in measured)
