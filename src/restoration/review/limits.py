"""What the measures are called, which way they are worse, and what is said of those beyond a limit.

Light to import: who shows measures judges them by `judge`, with the limits of the day.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Limits = Mapping[str, Mapping[str, float | None]]
"""By measure, the worst value that is still allowed without a `warning` and without a `failure`; None: no limit."""


@dataclass(frozen=True)
class Measure:
    """*lower*: lower values are worse, else higher ones. *by*: what of a shot is held against the limits: its worst
    frame, its mean, or the sum over its frames; or the whole video, or a face of the record."""

    title: str
    unit: str
    lower: bool
    by: str


MEASURES = {
    "psnr": Measure("luma's likeness to the source (PSNR)", "dB", True, "worst"),
    "ssim": Measure("luma's structure against the source (SSIM)", "", True, "worst"),
    "chroma_error": Measure("difference of chroma from the source", "of 255", False, "mean"),
    "matrix": Measure("share of a mistaken BT.601/BT.709 matrix in the colours", "", False, "mean"),
    "luma_flicker": Measure("flicker of luma beyond the source's", "of 255", False, "mean"),
    "chroma_flicker": Measure("flicker of chroma beyond the source's", "of 255", False, "mean"),
    "colourfulness": Measure("colourfulness gained over the source", "of 255", True, "mean"),
    "colour_drift": Measure("change of colourfulness from frame to frame beyond the source's", "of 255", False, "mean"),
    "sharpness": Measure("gradients, relative to the enlarged source", "x", True, "mean"),
    "blockiness": Measure("edges of 8x8 blocks, relative to the enlarged source", "x", False, "mean"),
    "black": Measure("black frames that the source has not", "frames", False, "sum"),
    "frozen": Measure("frames that stand still and move in the source", "frames", False, "sum"),
    "face_likeness": Measure("likeness of a restored face's place to the source", "", True, "worst"),
    "frames_off": Measure("frames too many or too few", "frames", False, "video"),
    "time_error": Measure("largest error of a frame's time", "s", False, "video"),
    "audio_offset": Measure("largest offset of sound against the picture", "s", False, "video"),
    "sound_changed": Measure("sound streams that are not the source's to the byte", "streams", False, "video"),
    "tags_wrong": Measure("colour tags that say what is not so", "tags", False, "video"),
    "face_similarity": Measure("similarity of a restored face to the source's, as recorded", "", True, "face"),
    "identity_distance": Measure("distance of a restored face's identity, as recorded", "", False, "face"),
    "face_unrest": Measure("unrest of a restored face over the source's, as recorded", "of 255", False, "face"),
}
"""In the order in which they are shown; docs/measures.md describes each. Those of shots are columns of the table."""
OF_FRAMES = [name for name, measure in MEASURES.items() if measure.by in ("worst", "mean", "sum")]


def judge(measures: Mapping[str, Any], limits: Limits) -> list[dict[str, Any]]:
    """What in *measures* (the content of VIDEO.measures.json) is beyond *limits*, the worst level first.

    A finding for each shot, face or video and measure, of its worse level only: measure, level (warning or failure),
    found, allowed, and where: frame, time (s), shot, face, None where they mean nothing; `says` it in a sentence.
    A value that could not be measured is beyond no limit.
    """
    found = [
        finding
        for name, value, place in _values(measures)
        for finding in _beyond(name, value, limits.get(name, {}), place)
    ]
    return sorted(found, key=lambda finding: finding["level"] != "failure")


def _values(measures: Mapping[str, Any]) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """Every value that a limit can be about, with its place."""
    nowhere = dict.fromkeys(("frame", "time", "shot", "face"))
    for name, measure in MEASURES.items():
        if measure.by == "video":
            yield name, measures["video"].get(name), nowhere
        elif measure.by == "face":
            for face in (measures["faces"] or {}).get("tracks", []):
                place = {key: face[key] for key in ("frame", "time", "shot", "face")}
                yield name, face.get(name), nowhere | place
        else:
            for shot in measures["shots"]:
                worst = shot["worst"].get(name)
                place = {"shot": shot["shot"]} | ({key: worst[key] for key in ("frame", "time")} if worst else {})
                value = worst and worst["value"] if measure.by == "worst" else shot[name]
                yield name, value, nowhere | place


def _beyond(
    name: str, value: float | None, limit: Mapping[str, float | None], place: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    measure = MEASURES[name]
    for level in ("failure", "warning"):
        allowed = limit.get(level)
        if value is not None and allowed is not None and (value < allowed if measure.lower else value > allowed):
            says = f"{name} is {value:g}, allowed: {'at least' if measure.lower else 'at most'} {allowed:g}"
            says += f" {measure.unit}" * bool(measure.unit) + f" ({measure.title})" + _where(place)
            yield {"measure": name, "level": level, "found": value, "allowed": allowed, **place, "says": says}
            return


def _where(place: dict[str, Any]) -> str:
    words = [f"{key} {place[key]}" for key in ("face", "shot", "frame") if place[key] is not None]
    words += [f"{place['time']:.3f} s"] if place["time"] is not None else []
    return " in " + ", ".join(words) if words else ""
