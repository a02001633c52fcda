"""The manifest: which videos, from where, by which recipe, with which exceptions."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from restoration.errors import RestorationError
from restoration.media import remote
from restoration.media.sample import seconds
from restoration.pipeline.validate import problems, typed, unknown

Settings = dict[str, Any]

ALWAYS = ("ingest", "encode", "review")
"""Stages that every video passes, named in its recipe or not."""


@dataclass(frozen=True)
class Row:
    """One checked row: *promised* holds the source's bytes and sha256 as far as they are given, *overrides* settings by
    stage; a stage set to None is left out for this video."""

    place: str
    video: str
    source: str
    recipe: str
    start: float | None
    end: float | None
    promised: Settings
    overrides: dict[str, Settings | None]


def read_manifest(path: Path, schema: dict[str, Any], stages: dict[str, Any]) -> tuple[list[Row], list[str]]:
    """Read a TSV or CSV manifest; give the rows that are sound and every mistake in the others.

    *schema* describes the fixed columns, *stages* maps each stage to the schema of its settings, which say what
    `stage.option` columns there can be. Raises RestorationError when the file cannot be read as a table at all.
    """
    table = _read_table(path)
    fixed = set(schema["properties"])
    options = {f"{stage}.{option}" for stage, about in stages.items() for option in about["properties"]}
    mistakes = [
        unknown(str(path), "column", column, fixed | options | set(stages))
        for column in table.columns
        if column not in fixed | options | set(stages)
    ]
    missing = [column for column in schema["required"] if column not in table.columns]
    if missing:
        return [], [*mistakes, *(f"{path}: column {column!r} is missing" for column in missing)]
    rows, seen = list[Row](), dict[str, str]()
    for index, cells in table.to_dict("index").items():
        filled = {str(column): value for column, value in cells.items() if value != ""}
        place = f"{path}, line {int(str(index)) + 2}"
        found = problems({key: value for key, value in filled.items() if key in fixed}, schema, place)
        found += [f"{place}: source: {mistake}" for mistake in remote.mistakes(filled.get("source", ""))]
        overrides, wrong = read_overrides(
            {key: value for key, value in filled.items() if key not in fixed}, stages, place
        )
        found += wrong
        name = filled.get("video", "")
        # Folders on macOS and Windows shares do not tell upper from lower case.
        if earlier := seen.get(name.casefold()):
            found.append(f"{place}: video: {name!r} is already taken by {earlier}; names must differ in more than case")
        seen.setdefault(name.casefold(), f"line {int(str(index)) + 2}")
        if not found:
            row = _row(place, filled, overrides)
            if row.start is not None and row.end is not None and row.start >= row.end:
                found.append(f"{place}: end: found {filled['end']}, allowed: later than start ({filled['start']})")
            rows.append(row)
        mistakes += found
    if table.empty:
        mistakes.append(f"{path}: there are no videos in it")
    return rows, mistakes


def _read_table(path: Path) -> pd.DataFrame:
    separator = {".tsv": "\t", ".csv": ","}.get(path.suffix.lower())
    if separator is None:
        raise RestorationError(f"{path}: the manifest's name must end in .tsv or .csv")
    try:
        with warnings.catch_warnings():
            # A row that is longer than the header only draws a warning, and loses its end.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path, sep=separator, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig",
                index_col=False,
            )  # fmt: skip
    except OSError as error:
        raise RestorationError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, pd.errors.ParserWarning) as error:
        raise RestorationError(f"{path}: is not a table: {' '.join(str(error).split())}") from error
    return table[(table != "").any(axis=1)]


def read_overrides(
    cells: Mapping[str, str], stages: Mapping[str, Any], place: str
) -> tuple[dict[str, Settings | None], list[str]]:
    """What *cells*, texts by column, change of the settings of *stages*, and every mistake; see `read_manifest`."""
    overrides: dict[str, Settings | None] = {}
    mistakes = []
    for column, text in cells.items():
        stage, _, option = column.partition(".")
        if stage not in stages or (option and option not in stages[stage]["properties"]):
            continue  # the column is reported once, not once a row
        if not option:
            if stage in ALWAYS:
                mistakes.append(f"{place}: {stage}: every video passes this stage; override its settings one by one")
            elif text != "off":
                mistakes.append(f"{place}: {stage}: found {text!r}, allowed: off, or empty to do as the recipe says")
            overrides[stage] = None
            continue
        value = typed(text, stages[stage]["properties"][option])
        mistakes += problems({option: value}, stages[stage], f"{place}: {stage}")
        if (settings := overrides.setdefault(stage, {})) is not None:
            settings[option] = value
    return overrides, mistakes


def _row(place: str, cells: dict[str, str], overrides: dict[str, Settings | None]) -> Row:
    start, end = (float(seconds(cells[key])) if key in cells else None for key in ("start", "end"))
    promised: Settings = {"bytes": int(cells["bytes"])} if "bytes" in cells else {}
    promised |= {"sha256": cells["sha256"].lower()} if "sha256" in cells else {}
    return Row(place, cells["video"], cells["source"], cells["recipe"], start, end, promised, overrides)
