"""What a person says about a video's faces: regions to leave alone, and a list of those that are meant."""

import math
from pathlib import Path

import pandas as pd

from restoration.errors import RestorationError

COLUMNS = ["frame", "x", "y"]


def regions(text: str) -> list[list[float]]:
    """The regions x0, y0, x1, y1 that *text* tells of, each as width:height:left:top."""
    boxes = [[float(part) for part in region.split(":")] for region in text.split()]
    return [[left, top, left + width, top + height] for width, height, left, top in boxes]


def read_face_list(path: str) -> list[list[float]]:
    """The points (frame, x, y) in the file *path*, TSV or CSV by its suffix; none where there is no file to read.

    Raises RestorationError where it holds something else.
    """
    if not path:
        return []
    separator = "," if Path(path).suffix.lower() == ".csv" else "\t"
    try:
        # With names of its own pandas would take what is too much in a row for the row's name, and shift the rest.
        table = pd.read_csv(path, sep=separator, comment="#", skipinitialspace=True, header=None, dtype=str)
        names = table.iloc[0].fillna("").tolist()
        if names != COLUMNS:
            raise RestorationError(f"{path}: columns are {', '.join(names)}; expected {', '.join(COLUMNS)}")
        points = table.iloc[1:].astype("float64")
    except (OSError, ValueError) as error:
        raise RestorationError(f"{path}: cannot be read as a list of faces: {error}") from error
    # Not a number is not at least 0.
    if points.empty or not ((points >= 0) & (points < math.inf)).all(axis=None) or (points[0] % 1).any():
        raise RestorationError(
            f"{path}: expected at least one face, and for each a whole frame, x and y, none negative"
        )
    return points.to_numpy().tolist()
