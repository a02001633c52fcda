"""The report on one video: a page to judge it by, and a card that stands for it in the list of all."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from restoration.faces.record import restored_faces
from restoration.files import atomic
from restoration.media.timeline import Timeline
from restoration.pipeline.cost import Cost, read_cost
from restoration.review.comparison import Pair, alike, pairs
from restoration.review.face_strips import MOST_FACES, face_strips
from restoration.review.html import count_of, write_html
from restoration.review.limits import MEASURES
from restoration.review.moments import moments
from restoration.review.pictures import picture_data, shrunk
from restoration.review.plots import plots
from restoration.review.repairs import summarized

WIDEST, THUMBNAIL = 1024, 240
"""Pixels across of the pictures on a page, and of that on a card."""
LISTED = ("psnr", "ssim", "luma_flicker", "chroma_flicker", "sharpness")
"""Measures on a card: the list of all videos has room for few."""
SKETCHED = (
    "{faces} invented by {model}: nothing more than an AI sketch artist's hallucination of a face that would look like "
    "the source when it is degraded. They are not evidence of how anybody looked, and identify nobody."
)
SHARPENED = "{faces} sharpened by {model}, a network for any picture, which knows nothing of faces."
COLOURED = (
    "Colours that the source lacks were invented by {model}: a guess at what is likely, no record of what was there."
)
RETOUCHED = "All of the picture was changed by {model}, which invents what it paints."
PAINTED = "Scratches were painted over, and all of the picture was changed, by {model}, which invents what it paints."
DETAILED = "Detail finer than the source's was made up by {model}."


def write_page(
    target: Path,
    card: Path,
    video: str,
    spec: Mapping[str, Any],
    source: Path,
    description: dict[str, Any],
    timeline: Timeline,
    restored: Path,
    *,
    delivery: Path,
    faces: Path | None,
    repairs: Path | None,
    logs: Path,
    current: Sequence[str],
    measures: Mapping[str, Any],
    table: Path,
    findings: Sequence[Mapping[str, Any]],
    provenance: Path,
) -> None:
    """Write the report on *video* as one HTML file, and a *card* (JSON) for `restoration.review.index`.

    *spec* tells the times of pictures (`stills`), the models of each step (`stages`, as records tell) and `made_by`;
    *description* is the probe's. *delivery*, *faces* and *repairs* (the records, where there are such), *measures* (its
    content) with their *table*, and *provenance* are the reports on the video; *findings* are what `limits.judge` makes
    of them. *logs* is the folder of the video's logs; *current* names, STEP.KEY, tell which of them are of the settings
    that made the result. RestorationError where a frame is missing.
    """
    delivered = json.loads(delivery.read_text())
    record = json.loads(faces.read_text()) if faces else None
    seconds, still = float(timeline.since_first(timeline.end)), bool(description.get("still"))
    chosen = list(pairs(source, description, timeline, restored, moments(timeline, spec["stills"])))
    shown = [
        _pictures(pair)
        | {
            "frame": pair.number,
            "time": float(timeline.since_first(timeline.pts[pair.number])),
            "shot": int(timeline.table["shot"][pair.number]),
        }
        for pair in chosen
    ]
    write_html(
        target,
        "page.html",
        {
            "video": video,
            "still": still,
            "seconds": seconds,
            "shots": len(timeline.shots()),
            "size": description["size"],
            "delivery": delivered,
            "inventions": inventions(spec["stages"], record),
            "moments": shown,
            "faces": record
            and record
            | {
                "strips": face_strips(source, description, timeline, restored, record),
                "left_out": max(0, len(record["faces"]) - MOST_FACES),
            },
            "repairs": list(summarized(json.loads(repairs.read_text()))) if repairs else [],
            "measures": measures["video"],
            "findings": findings,
            "titles": {name: f"{about.title}, {about.unit}".removesuffix(", ") for name, about in MEASURES.items()},
            "plots": [] if still else plots(table),
            "stages": [_stage(logs, name, spec["stages"]) for name in current],
            "assumptions": _assumptions(description),
            "provenance": provenance.name,
        },
    )
    middle = chosen[len(chosen) // 2]
    thumbnail = shrunk(middle.after, THUMBNAIL)
    about = {
        "still": still,
        "seconds": seconds,
        "size": delivered["result"]["size"],
        "made_by": spec["made_by"],
        "frame": middle.number,
        "thumbnail": picture_data(thumbnail),
        "thumbnail_size": thumbnail.shape[1::-1],
        "measures": {name: measures["video"].get(name) for name in LISTED},
        "warnings": _warnings(delivered, record, findings, coloured="colorize" in spec["stages"]),
    }
    with atomic(card) as temporary:
        temporary.write_text(json.dumps(about))


def inventions(stages: Mapping[str, list[dict[str, str]]], record: dict[str, Any] | None) -> list[str]:
    """What of a result is invented, by which model, in sentences; *stages* as in `write_page`."""
    said = []
    if record and (changed := restored_faces(record)):
        faces = f"{count_of(len(changed), 'face')} {'was' if len(changed) == 1 else 'were'}"
        words = SKETCHED if _invents(record) else SHARPENED
        said.append(words.format(faces=faces, model=record["networks"]["model"]["model"]))
    for step, words in (("retouch", RETOUCHED), ("colorize", COLOURED), ("upscale", DETAILED)):
        if models := stages.get(step):
            # Without what finds scratches there are none for a network to paint over.
            words = PAINTED if any(model.get("task") == "find_scratches" for model in models) else words
            said.append(words.format(model=" and ".join(model["model"] for model in models)))
    return said


def _pictures(pair: Pair) -> dict[str, Any]:
    before, after = alike([pair.before, pair.after], WIDEST)
    return {"before": picture_data(before), "after": picture_data(after), "size": after.shape[1::-1]}


def _stage(logs: Path, name: str, stages: Mapping[str, list[dict[str, str]]]) -> dict[str, Any]:
    """What a step did, and what its jobs took, as far as their logs are here."""
    step = name.rpartition(".")[0]
    # Those of chunks, of a video, of a result, of a delivery.
    found = [log for end in (f"{name}/*", name, step, f"{step}.???") for log in logs.glob(f"{end}.log")]
    costs = [cost for cost in map(read_cost, found) if cost]
    total = Cost(sum(cost.seconds for cost in costs), sum(cost.cpu_seconds for cost in costs)) if costs else None
    return {"step": step, "models": stages.get(step, []), "jobs": len(costs), "cost": total}


def _assumptions(description: Mapping[str, Any]) -> dict[str, str]:
    """How the source was read, as far as there was something to decide."""
    reading = description["reading"]
    said = {
        "Colours read as": ", ".join(filter(None, [reading.get("matrix"), reading.get("transfer")])),
        "Fields": reading.get("fields", ""),
        "Not said by the file, and assumed": ", ".join(reading["assumed"]),
        "Frames whose time was invented": str(description.get("times_invented") or ""),
        "Jumps in time": str(len(description.get("time_jumps", [])) or ""),
        "Frames that repeat an earlier one": str(description.get("duplicates") or ""),
        "Notes": "; ".join(description.get("notes", [])),
    }
    return {name: value for name, value in said.items() if value}


def _warnings(
    delivered: Mapping[str, Any],
    record: dict[str, Any] | None,
    findings: Sequence[Mapping[str, Any]],
    *,
    coloured: bool,
) -> list[str]:
    """What one should know of a result before opening its page, in few words."""
    dropped = sum(stream["fate"] == "dropped" for stream in delivered["streams"])
    said = {
        "the source is damaged": bool(delivered["damage"]),
        f"{count_of(dropped, 'stream')} dropped": bool(dropped),
        "faces are invented": record is not None and _invents(record) and bool(restored_faces(record)),
        "colours are invented": coloured,
        count_of(len(findings), "finding"): bool(findings),
    }
    return [words for words, holds in said.items() if holds]


def _invents(record: dict[str, Any]) -> bool:
    return bool(record["networks"]["model"]["task"] == "restore_faces")
