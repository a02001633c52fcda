"""The same run again, from a record of provenance alone: a configuration, a manifest and a registry of models."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.media.identity import sha256
from restoration.pipeline.face_list import COLUMNS
from restoration.pipeline.steps import FACES_FILE, HINTS_FILE


def write_project(record: Mapping[str, Any], source: Path, folder: Path, files: Iterable[Path] = ()) -> None:
    """Write what Snakemake, called in *folder*, needs to restore *source* as *record* says: config.yaml, manifest.tsv,
    models.yaml and, where there were some, colour hints and the list of faces.

    *files* are what the record knows by content only: weights and reference images of one's own. RestorationError where
    *source* is not the original, or one of them is missing.
    """
    rerun = record["rerun"]
    if not source.is_file() or sha256(source) != record["source"]["sha256"]:
        raise RestorationError(
            f"{source}: is not the original of {record['video']}, which is {record['source']['name']} with "
            f"{record['source']['bytes']} bytes and the SHA-256 {record['source']['sha256']}"
        )
    own = {sha256(file): file.resolve() for file in files}
    stages = {stage["step"]: stage["settings"] for stage in record["stages"]}
    config = rerun["config"] | {"manifest": "manifest.tsv", "models": "models.yaml"}
    models = {name: model | {"sources": _sources(name, model, own)} for name, model in rerun["models"].items()}
    texts = {"models.yaml": yaml.safe_dump(models, sort_keys=False)}
    if "hints" in stages:
        texts[HINTS_FILE] = yaml.safe_dump(_hints(stages["hints"], own))
    if points := stages.get("track", {}).get("points"):
        texts[FACES_FILE] = pd.DataFrame(points, columns=COLUMNS).to_csv(sep="\t", index=False)
    row = rerun["row"] | {"source": str(source.resolve())}
    texts |= {
        "config.yaml": yaml.safe_dump(config, sort_keys=False),
        "manifest.tsv": pd.DataFrame([row]).to_csv(sep="\t", index=False),
    }
    for name, text in texts.items():
        with atomic(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def differences(record: Mapping[str, Any], software: Mapping[str, str]) -> list[str]:
    """In what the *software* that is here differs from that of the *record*: its frames may, too."""
    return [
        f"{name} is {software.get(name, 'missing')} here, and was {version}"
        for name, version in record["software"].items()
        if software.get(name) != version
    ]


def _sources(name: str, model: Mapping[str, Any], own: Mapping[str, Path]) -> list[dict[str, str]]:
    if model["sha256"] in own:
        return [{"file": str(own[model["sha256"]])}]
    sources: list[dict[str, str]] = model["sources"]
    if not any(source.keys() & {"url", "wheel"} for source in sources):
        raise RestorationError(_wanting(f"the weights of {name} ({sources[0]['file']})", model["sha256"]))
    return sources


def _hints(settings: Mapping[str, Any], own: Mapping[str, Path]) -> dict[str, Any]:
    """The file of colour hints of which these *settings* were made."""
    hints: dict[str, Any] = {"shots": [], "points": settings["points"]}
    for reference in settings["references"]:
        if missing := [image for image in reference["images"] if image not in own]:
            raise RestorationError(_wanting("a reference image", missing[0]))
        told = {"references": [str(own[image]) for image in reference["images"]], "strength": reference["strength"]}
        if reference["frame"] is None:
            hints |= told
        else:
            hints["shots"].append({"frame": reference["frame"]} | told)
    return {key: value for key, value in hints.items() if value != []}


def _wanting(what: str, sha256: str) -> str:
    return f"{what} was a file of the user's own: name it with --file (its SHA-256 is {sha256})"
