"""The grid of `explore`: every combination of some settings, each as a row of the manifest of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from restoration.pipeline.digest import canonical, short_hash
from restoration.pipeline.manifest import Row, Settings, read_overrides
from restoration.pipeline.validate import unknown

PLACE = "config: explore"
GRID = f"{PLACE}.grid"
RECIPE = "recipe"
COMPARABLE = ("retouch", "clean", "colorize", "upscale", "faces")
"""Stages whose settings a grid can hold, all of them, and"""
READING = ("matrix", "range", "transfer", "sar", "rotation", "crop")
"""those of `ingest` that leave it the same frames."""
OF_FRAMES_ALONE = ("blocks", "blur", "halo")
"""Options of `repair` that need no neighbours."""
OF_WHOLE_VIDEOS = {"colorize.hints", "faces.only"}
"""What tells of frames by their number: nothing about single ones."""
DETECTOR = {"detector": "mtcnn", "min_score": 0.97, "min_size": 24}
"""What finds the faces that a sheet zooms into: the network that comes along."""


@dataclass(frozen=True)
class Cell:
    """One combination: the *row* that restores it, and the *values* of the grid's columns, as text."""

    row: Row
    values: Mapping[str, str]


def cells(
    rows: Iterable[Row], usual: Iterable[str], said: Settings, stages: Mapping[str, Any]
) -> tuple[dict[str, list[Cell]], list[str]]:
    """The cells of each video that `explore`, which *said* holds, is about, and every mistake in it.

    *usual* are the videos that are meant where it names none; *stages* maps each stage to the schema of its settings. A
    cell is named after its values, so that others stay what they are when the grid grows.
    """
    grid = {column: [_text(column, value) for value in values] for column, values in said["grid"].items()}
    by_name = {row.video: row for row in rows}
    options = {stage: stages[stage]["properties"] for stage in COMPARABLE}
    options |= {"ingest": READING, "repair": OF_FRAMES_ALONE}
    columns = {RECIPE, *COMPARABLE, *(f"{stage}.{option}" for stage in options for option in options[stage])}
    columns -= OF_WHOLE_VIDEOS
    mistakes = [unknown(GRID, "setting", column, columns) for column in grid if column not in columns]
    mistakes += [unknown(f"{PLACE}.videos", "video", name, by_name) for name in said["videos"] if name not in by_name]
    if mistakes or not grid:
        return {}, mistakes
    found: dict[str, list[Cell]] = {video: [] for video in said["videos"] or usual}
    for values in (dict(zip(grid, combination, strict=True)) for combination in product(*grid.values())):
        filled = {column: text for column, text in values.items() if text and column != RECIPE}
        chosen, wrong = read_overrides(filled, stages, GRID)
        mistakes += wrong
        for video, made in found.items():
            made.append(Cell(_row(by_name[video], chosen, values, said["sample"]), values))
    return found, list(dict.fromkeys(mistakes))


def _row(row: Row, chosen: Mapping[str, Settings | None], values: Mapping[str, str], sample: str) -> Row:
    merged = dict(row.overrides)
    for stage, settings in chosen.items():
        merged[stage] = None if settings is None else (merged.get(stage) or {}) | settings
    merged["ingest"] = (merged.get("ingest") or {}) | {"sample": sample}
    return replace(
        row,
        place=GRID,
        video=f"{row.video}.cell-{short_hash(canonical(values))}",
        recipe=values.get(RECIPE, row.recipe),
        overrides=merged,
    )


def _text(column: str, value: Any) -> str:
    """As a cell of the manifest: of a stage, which YAML's `on` and `off` leave in and out, or of an option."""
    if not isinstance(value, bool):
        return str(value)
    return str(value).lower() if "." in column else "" if value else "off"
