"""The same run again, from a record of provenance alone: a configuration, a manifest and a registry of models."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.media.identity import identify, sha256
from restoration.pipeline.configuration import FACES_FILE, HINTS_FILE
from restoration.pipeline.face_list import COLUMNS


def write_project(record: Mapping[str, Any], source: Path, folder: Path, files: Iterable[Path] = ()) -> None:
    """Write what Snakemake needs to restore *source* as *record* says into *folder*: config.yaml, manifest.tsv,
    models.yaml and, where there were some, colour hints and the list of faces.

    *files* are what the record knows by content only: weights and reference images of one's own. RestorationError where
    *source* is not the original, or one of them is missing.
    """
    rerun = record["rerun"]
    identify(source, record["source"], f"{source} (the original of {record['video']})")
    own = {sha256(file): file.resolve() for file in files}
    stages = {stage["step"]: stage["settings"] for stage in record["stages"]}
    folder = folder.resolve()
    config = json.loads(json.dumps(rerun["config"]))
    places = {key: str(folder / key) for key in ("results", "work", "logs", "weights")}
    config |= places | {"manifest": str(folder / "manifest.tsv"), "models": str(folder / "models.yaml")}
    models = {name: model | {"sources": _sources(name, model, own)} for name, model in rerun["models"].items()}
    texts = {"models.yaml": yaml.safe_dump(models, sort_keys=False)}
    for recipe in config["recipes"].values():
        if recipe.get("colorize", {}).get("hints"):
            recipe["colorize"]["hints"] = str(folder / HINTS_FILE)
            texts[HINTS_FILE] = yaml.safe_dump(_hints(stages["hints"], own))
        if recipe.get("faces", {}).get("only"):
            recipe["faces"]["only"] = str(folder / FACES_FILE)
            texts[FACES_FILE] = pd.DataFrame(stages["track"]["points"], columns=COLUMNS).to_csv(sep="\t", index=False)
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
