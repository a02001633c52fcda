"""The record of a video's provenance: source, every stage with its networks, what was decided, and the files."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import av
import pandas as pd
from PIL import Image

from restoration.media.identity import sha256
from restoration.media.kind import is_still
from restoration.media.looks import COLOURED
from restoration.media.mark import read_mark
from restoration.media.timeline import Timeline
from restoration.pipeline.networks import named

FORMAT = 1
"""Number of the form that `workflow/schemas/provenance.schema.yaml` describes."""
NOT_SETTINGS = {"step", "code", "weights", "conversion", "sign", "claims"}
"""Of the spec of a step: what the record says elsewhere."""
PROBED = ("container", "duration", "streams", "reading", "size", "frames", "duplicates", "times_invented", "time_jumps",
          "skipped", "suggested_crop", "damage", "notes", "still")  # fmt: skip
"""What a record repeats of a description."""
REPORT, FACES, REPAIRS, INDEX = ".delivery.json", ".faces.json", ".repairs.json", ".index.tsv"


def build_record(
    video: str,
    spec: Mapping[str, Any],
    description: Mapping[str, Any],
    timeline: Timeline,
    files: Iterable[Path],
    machine: Mapping[str, Any],
) -> dict[str, Any]:
    """The record of *video*, as `workflow/schemas/provenance.schema.yaml` describes it.

    *spec* is that of the step provenance: `steps`, in order, and `rerun`; *description* the probe's. *files* are all
    that were delivered: the restored ones, the report of each, records and masks of faces and repairs, signatures.
    *machine* holds the settings that change rounding at most: device, engine, threads, batch, chunk_frames. Nothing in
    it tells paths or the time.
    """
    rerun, steps = spec["rerun"], {about["step"]: about for about in spec["steps"]}
    results = [entry for path in sorted(files) for entry in _results(path, steps, video)]
    reports = {path.name: json.loads(path.read_text()) for path in files if path.name.endswith(REPORT)}
    main = reports[min(reports, key=len)]  # those of copies have longer names
    faces, repairs = ([path for path in files if path.name == f"{video}{kind}"] for kind in (FACES, REPAIRS))
    return {
        "format": FORMAT,
        "video": video,
        "source": {"name": PurePosixPath(rerun["row"]["source"]).name} | description["source"],
        "probe": {key: description[key] for key in PROBED if key in description},
        "stages": [_stage(step, settings) for step, settings in steps.items()],
        "networks": rerun["models"],
        "ran_with": main["made_with"],
        "software": main["software"],
        "shots": _shots(timeline, steps.get("colorize")),
        "faces": _faces(faces[0]) if faces else None,
        "repairs": _repairs(repairs[0]) if repairs else None,
        "frames": main["frames"],
        "frames_sha256": main["frames_sha256"],
        "results": results,
        "rerun": {
            "config": _config(rerun, machine),
            "row": _row(rerun["row"], description["source"]),
            "models": rerun["models"],
        },
    }


def _stage(step: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "step": step,
        "code": settings["code"],
        "networks": named(dict(settings)),
        "settings": {key: value for key, value in settings.items() if key not in NOT_SETTINGS},
        **({"signature": settings["sign"]} if "sign" in settings else {}),
    }


def _results(path: Path, steps: Mapping[str, Any], video: str) -> Iterator[dict[str, Any]]:
    """The entry of a file; of an index also those of the images that it names."""
    yield _result(path, steps, video)
    if path.name.endswith(INDEX):
        for name in pd.read_csv(path, sep="\t")["file"]:
            image = path.parent / name
            about = {"name": name, "bytes": image.stat().st_size, "sha256": sha256(image), "step": "images"}
            yield about | held(image) | {"certificate_sha256": ""}


def _result(path: Path, steps: Mapping[str, Any], video: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256(path)}
    deliveries = {f"{video}{step.removeprefix('encode')}": step for step in steps if step.startswith("encode")}
    if path.stem in deliveries and path.suffix == f".{steps[deliveries[path.stem]]['container']}":
        step = deliveries[path.stem]
        signer = steps[step].get("sign") or steps.get(step.replace("encode", "sign"), {}).get("sign", {})
        return entry | {
            "step": step,
            **held(path),
            "certificate_sha256": signer.get("certificate", ""),
        }
    return entry


def held(path: Path) -> dict[str, Any]:
    """Frames, size, codec and mark of a delivered file, as it says itself: pictures are not looked at."""
    mark = {"digital_source_type": read_mark(path)}
    if is_still(path):
        with Image.open(path) as image:
            return {"frames": 1, "size": list(image.size), "codec": (image.format or "").lower()} | mark
    with av.open(path, metadata_errors="replace") as container:
        video = container.streams.video[0]
        context = video.codec_context
        return {
            "frames": sum(packet.size > 0 for packet in container.demux(video)),
            "size": [context.width, context.height],
            # Not the name of the decoder, of which others have others.
            "codec": context.codec.canonical_name,
        } | mark


def _shots(timeline: Timeline, colorize: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Each shot with its times in seconds from the first frame on, and what colorizing did with it."""
    colours, ends = timeline.colours(), timeline.pts + timeline.table["duration"].to_numpy()
    shots: list[dict[str, Any]] = []
    for first, last in timeline.shots():
        gray = bool(colours[first] < COLOURED)
        decision = "colorized" if gray else "colorized, though it had colour"
        if colorize and not gray and not colorize["force"]:
            decision = "left alone: it has colour"
        shots.append(
            {
                "first": int(first),
                "last": int(last),
                "begin": round(float(timeline.since_first(timeline.pts[first])), 6),
                "end": round(float(timeline.since_first(ends[last])), 6),
                "colour": round(float(colours[first]), 2),
            }
            | ({"colorize": decision} if colorize else {})
        )
    return shots


def _faces(path: Path) -> dict[str, Any]:
    """The record of faces, but for single frames, and how to know it."""
    found = json.loads(path.read_text())
    return {
        "record": {"name": path.name, "sha256": sha256(path)},
        "method": found["method"],
        "tracks": [
            {key: track[key] for key in ("face", "shot", "first", "last", "decision")} for track in found["faces"]
        ],
    }


def _repairs(path: Path) -> dict[str, Any]:
    """The record of repairs, but for single frames, and how to know it."""
    found = json.loads(path.read_text())
    return {"record": {"name": path.name, "sha256": sha256(path)}, "methods": found["methods"], "shots": found["shots"]}


def _config(rerun: Mapping[str, Any], machine: Mapping[str, Any]) -> dict[str, Any]:
    return {**machine, "noncommercial": rerun["noncommercial"], "recipes": rerun["recipe"]}


def _row(row: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    promised = {key: source[key] for key in ("bytes", "sha256")}
    return {key: value for key, value in {**row, **promised}.items() if value is not None}
