"""The list of all videos: what became of each, with a picture and a way to its page."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from restoration.review.html import write_html

WHOLE = ("done", "doubtful")
"""What a video is called whose result is there, and current."""


def write_index(
    rows: Iterable[Mapping[str, str]], cards: Path, target: Path, *, pageless: Collection[str] = ()
) -> None:
    """Write an HTML page with a row for each video: those of `restoration.pipeline.summary`.

    What is known of one that is whole is on its card, *cards*/VIDEO/page.json; of others, and of those that are
    *pageless* now, it may be of an earlier result.
    """
    known: list[dict[str, Any]] = []
    for row in rows:
        path = cards / row["video"] / "page.json"
        told = row["status"] in WHOLE and row["video"] not in pageless and path.exists()
        card = json.loads(path.read_text()) if told else None
        said = [row["why"]] if row["why"] else card["warnings"] if card else []
        known.append({**row, "card": card, "warnings": said})
    measures = {name: None for row in known if row["card"] for name in row["card"]["measures"]}
    counts = Counter(row["status"] for row in known)
    write_html(target, "index.html", {"rows": known, "measures": list(measures), "counts": counts})
