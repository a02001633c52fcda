"""Restored single frames as images, with an index of them."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from restoration.files import atomic
from restoration.frames import Frame
from restoration.media.encode import counted
from restoration.media.identity import sha256
from restoration.media.mark import marked
from restoration.media.still_delivery import FORMATS, options_of, prove_still
from restoration.media.timeline import Timeline

FOLDER = "frames"
"""Where the images lie, beside the index; it holds nothing else."""


def write_images(
    index: Path,
    frames: Iterable[Frame],
    timeline: Timeline,
    origin: Fraction,
    suffix: str,
    quality: int | None,
    *,
    mark: bool = False,
) -> None:
    """Write each of *frames*, one for each row of *timeline*, as an image, and then their *index* as TSV: the file, the
    frame's time in seconds after the video's first frame, which the file's clock shows at *origin* seconds, the frame's
    pts, the image's width, height and SHA-256.

    *suffix* is .png, .jpg or .tif; *quality*, 1 to 100, is that of a JPEG. With *mark* their XMP says that networks had
    a part in them. Each is read back and must hold the very pixels (a JPEG: what looks like them). Images that the
    index does not name go.
    """
    name = index.name.removesuffix(".index.tsv")
    rows: list[dict[str, Any]] = []
    said = {"xmp": marked()} if mark else {}
    coding = options_of(said, FORMATS[suffix])
    coding |= {"quality": quality, "subsampling": "4:4:4"} if suffix == ".jpg" else {}
    for pts, frame in zip(timeline.pts.tolist(), counted(frames, len(timeline.pts), index), strict=True):
        time = float(pts * timeline.time_base - origin)
        file = index.parent / FOLDER / f"{name}.{time:010.3f}{suffix}"
        with atomic(file) as temporary:
            Image.fromarray(frame).save(temporary, FORMATS[suffix], **coding)
            prove_still(temporary, file, frame, said)
        rows.append(
            {
                "file": f"{FOLDER}/{file.name}",
                "time": round(time, 6),
                "pts": pts,
                "width": frame.shape[1],
                "height": frame.shape[0],
                "sha256": sha256(file),
            }
        )
    with atomic(index) as temporary:
        pd.DataFrame(rows).to_csv(temporary, sep="\t", index=False)
    due = {index.parent / row["file"] for row in rows}
    for path in (index.parent / FOLDER).iterdir():
        if path not in due and not path.name.startswith("."):
            path.unlink()
