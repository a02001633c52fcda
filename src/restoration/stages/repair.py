"""What film, projectors and codecs did, taken back: blocks, scratches, weave, flicker, dust, grain, blur, in turn.

Each step looks at a fixed number of neighbours within the shot, so the result does not depend on where chunks begin;
what concerns a shot as a whole was found by a survey (`restoration.film.survey`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from restoration.errors import RestorationError
from restoration.film import filling, weave
from restoration.film.blocks import deblocked
from restoration.film.blur import sharpened
from restoration.film.dust import dusted
from restoration.film.findings import Findings
from restoration.film.flicker import evened
from restoration.film.grain import calmed
from restoration.film.survey import REPEATS
from restoration.frames import Box, Frame, inside
from restoration.media.looks import brightness, went_black
from restoration.media.masks import Mask
from restoration.motion import Seen
from restoration.window import windows

REACH = 3
"""Neighbours on either side that a step looks at: two of them are other pictures even where each is there twice."""
CONTEXT = REPEATS + 3 * (REACH + REPEATS)
"""Frames that are needed on either side: three steps look at neighbours, each at what the one before made of them, or
of those that they repeat. Not more than `restoration.pipeline.plan.NEIGHBOURS`."""
DUST, SCRATCHES, BORDER = range(3)
"""The channels of masks: red, green, blue."""
CAUSES = ("dust", "scratches", "border")


@dataclass(frozen=True, eq=False)
class Repaired:
    """A frame as it is by now, what of it was replaced, uint8 (height, width, 3), and what the survey says of it."""

    frame: Frame
    mask: Mask
    number: int
    shot: int
    findings: Findings
    light: float
    """The brightness of the frame as it was."""

    def changed(self, frame: Frame, mask: Mask, channel: int) -> "Repaired":
        """With another frame, of which *mask* (height, width) tells what was replaced."""
        masks = self.mask.copy()
        masks[..., channel] = np.maximum(masks[..., channel], mask)
        return replace(self, frame=frame, mask=masks)

    def entry(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What the record says of it: by how much it was moved, enlarged, multiplied and raised; how many of its pixels
        were replaced, by cause."""
        about, held = self.findings, settings["weave"] != "none"
        gain, offset = (settings["flicker"] * part for part in about.tone)
        replaced = np.count_nonzero(self.mask > 127, axis=(0, 1)).tolist()
        return {
            "frame": self.number,
            "shift": [round(length * held, 3) for length in about.shift],
            "zoom": round(about.zoom, 5) if settings["weave"] == "crop" else 1.0,
            "gain": round(float(np.exp(gain)), 5),
            "offset": round(offset, 3),
        } | dict(zip(CAUSES, replaced, strict=True))


Step = Callable[[Repaired, list[Repaired], list[Repaired]], Repaired]
"""Makes something of a frame, with those of its shot before and after it, the nearest first."""


def repaired(
    frames: Iterable[Seen],
    available: range,
    wanted: range,
    settings: Mapping[str, Any],
    findings: Mapping[int, Findings],
) -> Iterator[Repaired]:
    """Yield the *wanted* ones of the *available* *frames*, repaired as the *settings* of the step say, by *findings* on
    each, by its number. What repeats a frame gets what became of that.

    For a result that does not depend on chunks, CONTEXT frames are needed on either side, as far as the video has them.
    """
    steps: list[Step] = []
    if settings["weave"] == "fill":
        steps.append(_held)
    if settings["dust"]:
        steps.append(partial(_dusted, sensitivity=settings["dust"]))
    if settings["grain"]:
        steps.append(partial(_calmed, strength=settings["grain"]))
    due = [_from_original(wanted, available, findings)]
    for _ in steps:
        reached = range(max(available.start, due[0].start - REACH), min(available.stop, due[0].stop + REACH))
        due.insert(0, _from_original(reached, available, findings))
    seen = (
        (one.number, partial(_alone, one, settings, findings[one.number])) for one in frames if one.number in due[0]
    )
    repairs = _once(seen, findings)
    for step, numbers in zip(steps, due[1:], strict=True):
        repairs = _once(_work(step, repairs, numbers), findings)
    finished = _once(((one.number, partial(_sharpened, one, settings)) for one in repairs), findings)
    yield from (one for one in finished if one.number in wanted)


def _from_original(numbers: range, available: range, findings: Mapping[int, Findings]) -> range:
    """*numbers* from the frame on that the first of them repeats, if it is *available*."""
    return range(max(available.start, numbers.start - findings[numbers.start].same), numbers.stop)


def _work(step: Step, repairs: Iterable[Repaired], numbers: range) -> Iterator[tuple[int, Callable[[], Repaired]]]:
    for window in windows(repairs, numbers, REACH):
        yield window[0].number, partial(step, *window)


def _once(work: Iterable[tuple[int, Callable[[], Repaired]]], findings: Mapping[int, Findings]) -> Iterator[Repaired]:
    """Yield what the *work* on each number gives; for frames that repeat the one before, what it gave for that."""
    last: Repaired | None = None
    for number, repair in work:
        last = replace(last, number=number) if last and findings[number].same else repair()
        yield last


def whole(one: Repaired, source: Frame, box: Box | None) -> tuple[Frame, Mask]:
    """The frame and the mask of a picture that was repaired within *box* only, put back into its *source*."""
    frame, mask = source.copy(), np.zeros_like(source)
    inside(frame, box)[:] = one.frame
    inside(mask, box)[:] = one.mask
    return frame, mask


def _alone(seen: Seen, settings: Mapping[str, Any], about: Findings) -> Repaired:
    """What needs no neighbours: traces of the codec, which came last; scratches, which lie where the film does, in the
    gate or not; exposure."""
    frame, mask, light = (
        deblocked(seen.frame, strength=settings["blocks"]),
        np.zeros(seen.frame.shape, np.uint8),
        brightness(seen.frame),
    )
    if settings["scratches"]:
        frame, mask[..., SCRATCHES] = filling.filled(frame, about.lines)
    if settings["weave"] == "crop":
        frame, mask = (weave.steady(picture, about.shift, zoom=about.zoom) for picture in (frame, mask))
    return Repaired(evened(frame, about.tone, settings["flicker"]), mask, seen.number, seen.shot, about, light)


def _held(one: Repaired, before: list[Repaired], after: list[Repaired]) -> Repaired:
    """Held still, its borders filled."""
    goal, part = np.add(one.findings.place, one.findings.shift), one.findings.part
    near = sorted(before + after, key=lambda other: abs(other.number - one.number))
    # Of others nobody knows where they lie: they may be another scene.
    moved = [
        (other.frame, (goal - other.findings.place).tolist()) for other in near if part == other.findings.part != -1
    ]
    frame, lacking = weave.filled(one.frame, one.findings.shift, moved)
    held = replace(one, mask=weave.steady(one.mask, one.findings.shift))
    return held.changed(frame, lacking.astype(np.uint8) * 255, BORDER)


def _dusted(one: Repaired, before: list[Repaired], after: list[Repaired], *, sensitivity: float) -> Repaired:
    return one.changed(*dusted(one.frame, *_pictures(before, after), sensitivity=sensitivity), DUST)


def _calmed(one: Repaired, before: list[Repaired], after: list[Repaired], *, strength: float) -> Repaired:
    pictures = _pictures(before, after)
    return replace(one, frame=calmed(one.frame, *pictures, noise=one.findings.noise, strength=strength))


def _sharpened(one: Repaired, settings: Mapping[str, Any]) -> Repaired:
    """Without blur, and proved not to have gone black."""
    frame = sharpened(one.frame, blur=settings["blur"], halo=settings["halo"])
    if went_black(one.light, brightness(frame)):
        raise RestorationError(f"frame {one.number}: repair turned a lit picture black; set repair.flicker: 0")
    return replace(one, frame=frame)


def _pictures(*sides: list[Repaired]) -> list[list[Frame]]:
    return [[other.frame for other in side] for side in sides]
