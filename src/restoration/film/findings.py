"""What is to be done about a frame, as a survey of its shot found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from restoration.film.flicker import NEUTRAL, Tone
from restoration.film.scratches import Line


@dataclass(frozen=True)
class Findings:
    """How far a picture has to be moved (*shift*, right and down, in pixels); where it lies by camera and gate
    (*place*, see `restoration.film.weave.Shot`), and with which others that can be compared (*part*, -1 for none); by
    how much all of its shot are to be enlarged that no border is seen (*zoom*); what its exposure lacks (*tone*); the
    *noise* of its shot (standard deviation, of 255); the *lines* that are scratches; how many frames before was the
    *same* picture."""

    shift: tuple[float, float] = (0.0, 0.0)
    place: tuple[float, float] = (0.0, 0.0)
    part: int = -1
    zoom: float = 1.0
    tone: Tone = NEUTRAL
    noise: float = 0.0
    lines: tuple[Line, ...] = ()
    same: int = 0

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Findings":
        """What `dataclasses.asdict` gave, read from JSON."""
        pairs = {name: tuple(content[name]) for name in ("shift", "place")}
        return cls(
            **{**content, **pairs, "tone": Tone(*content["tone"]), "lines": tuple(map(line_of, content["lines"]))}
        )


def line_of(content: Mapping[str, Any]) -> Line:
    """A line, read from JSON."""
    return Line(**{**content, "places": tuple(content["places"])})
