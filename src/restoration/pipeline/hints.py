"""What a person knows about a video's colours: reference pictures, and colour points in a sidecar file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restoration.errors import RestorationError
from restoration.media.identity import sha256
from restoration.pipeline.validate import problems, read_yaml, unknown, whole

Settings = dict[str, Any]


@dataclass(frozen=True)
class Hints:
    """*references* are settings of `frame` (any of a shot, None for all), `strength` and `images` (paths); *points*
    those of `restoration.stages.colour_points.Point`."""

    references: list[Settings] = field(default_factory=list)
    points: list[Settings] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.references or self.points)

    def images(self) -> list[Path]:
        """All reference images, in order."""
        return [image for reference in self.references for image in reference["images"]]

    def settings(self) -> Settings:
        """What of them may change the result: the content of images instead of their paths."""
        contents = [r | {"images": [sha256(image) for image in r["images"]]} for r in self.references]
        return {"references": contents, "points": self.points}


def read_hints(
    sidecar: str, palette: str, palettes: dict[str, list[str]], schema: dict[str, Any], place: str
) -> tuple[Hints, list[str]]:
    """The hints in the file *sidecar* and those of *palette*, either may be empty; and every mistake in them.

    A reference in the sidecar for the whole video takes the place of the palette. Paths in the sidecar are relative to
    it.
    """
    mistakes, references, points = list[str](), list[Settings](), list[Settings]()
    if palette and palette not in palettes:
        mistakes.append(unknown(f"{place}: colorize.palette", "palette", palette, palettes))
    elif palette:
        references.append(_reference(palettes[palette], Path()))
    if sidecar:
        try:
            document = whole(read_yaml(Path(sidecar)) or {})
            mistakes += problems(document, schema, sidecar)
        except RestorationError as error:
            document = {}
            mistakes.append(f"{place}: colorize.hints: {error}")
        if not mistakes:
            folder = Path(sidecar).parent
            if "references" in document:
                references = [_reference(document["references"], folder, strength=document.get("strength", 1))]
            references += [
                _reference(shot["references"], folder, shot["frame"], shot.get("strength", 1))
                for shot in document.get("shots", [])
            ]
            points = [{"radius": 0} | point for point in document.get("points", [])]
    hints = Hints(references, points)
    return hints, mistakes + list(_missing(hints, place))


def _reference(images: list[str], folder: Path, frame: int | None = None, strength: float = 1) -> Settings:
    return {"frame": frame, "strength": strength, "images": [folder / image for image in images]}


def _missing(hints: Hints, place: str) -> Iterator[str]:
    yield from (f"{place}: reference image {image}: no such file" for image in hints.images() if not image.is_file())
