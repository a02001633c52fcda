"""The list of all videos: what became of each, with a picture and a way to its page."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from restoration.review.html import write_html


def write_index(rows: Iterable[Mapping[str, str]], cards: Path, target: Path) -> None:
    """Write an HTML page with a row for each video: those of `restoration.pipeline.summary`.

    What is known of one that is done is on its card, *cards*/VIDEO/page.json; of others it may be of an earlier result.
    """
    known: list[dict[str, Any]] = []
    for row in rows:
        path = cards / row["video"] / "page.json"
        card = json.loads(path.read_text()) if row["status"] == "done" and path.exists() else None
        said = [row["why"]] if row["why"] else card["warnings"] if card else []
        known.append({**row, "card": card, "warnings": said})
    measures = {name: None for row in known if row["card"] for name in row["card"]["measures"]}
    counts = Counter(row["status"] for row in known)
    write_html(target, "index.html", {"rows": known, "measures": list(measures), "counts": counts})
