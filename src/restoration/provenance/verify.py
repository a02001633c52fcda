"""Whether what was delivered is still what its record of provenance says."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from restoration.errors import RestorationError
from restoration.media.identity import sha256
from restoration.pipeline.validate import problems
from restoration.provenance.record import held
from restoration.provenance.sign import signature_problems


def read_record(path: Path) -> dict[str, Any]:
    """The record of provenance in the file *path*; RestorationError where it is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RestorationError(f"{path}: cannot be read ({error.strerror}). `snakemake` writes it anew") from error
    except ValueError as error:
        raise RestorationError(f"{path}: is no record of provenance ({error})") from error
    if not isinstance(record, dict):
        raise RestorationError(f"{path}: is no record of provenance")
    return record


def discrepancies(path: Path, schema: Mapping[str, Any]) -> list[str]:
    """Everything in which the record *path*, the files beside it, and *schema*, that of records, do not agree.

    Each line begins with the file that it is about.
    """
    record = read_record(path)
    if wrong := problems(record, dict(schema), str(path)):
        return wrong
    return [f"{path.parent / about['name']}: {what}" for about in record["results"] for what in _amiss(path, about)] + [
        f"{path}: {what}" for what in _contradictions(record)
    ]


def _amiss(record: Path, about: Mapping[str, Any]) -> Iterator[str]:
    """What is not as the record says about one file."""
    file = record.parent / about["name"]
    if not file.is_file():
        yield "the file is missing"
        return
    if (size := file.stat().st_size) != about["bytes"]:
        yield f"it has {size} bytes; {about['bytes']} are recorded"
    elif (found := sha256(file)) != about["sha256"]:
        yield f"its content changed: its SHA-256 is {found}; {about['sha256']} is recorded"
    if "step" not in about:
        return
    try:
        found_in_it = held(file)
    except Exception as error:  # of whatever type: damage can be anything
        yield f"it cannot be read ({error})"
        return
    for what, value in found_in_it.items():
        if value != about[what]:
            yield f"{what.replace('_', ' ')} is {value!r}; {about[what]!r} is recorded"
    if about["certificate_sha256"]:
        yield from signature_problems(file)


def _contradictions(record: Mapping[str, Any]) -> Iterator[str]:
    """Where a record says two things about the same."""
    source, row = record["source"], record["rerun"]["row"]
    if (source["bytes"], source["sha256"]) != (row["bytes"], row["sha256"]):
        yield "source and rerun name two different sources"
    if record["probe"]["frames"] != record["frames"]:
        yield f"{record['probe']['frames']} frames were probed, {record['frames']} restored"
    images = sum(file.get("step") == "images" for file in record["results"])
    if images not in (0, record["frames"]):
        yield f"{images} images are recorded, of {record['frames']} restored frames"
    for file in record["results"]:
        if not images and file.get("frames", record["frames"]) != record["frames"]:
            yield f"{file['name']} has {file['frames']} frames, of {record['frames']} restored"
    names = {name for stage in record["stages"] for name in stage["networks"]}
    if names != record["networks"].keys():
        yield f"networks and stages name different networks: {', '.join(sorted(names ^ record['networks'].keys()))}"
    used = {file["name"] for file in record["results"]}
    for what in ("faces", "repairs"):
        # Records of before there were repairs do not tell of them.
        if record.get(what) and record[what]["record"]["name"] not in used:
            yield f"the record of {what} is not among the results"


def same_frames(one: Path, other: Path) -> list[str]:
    """Why the videos of two records do not have the same restored frames; nothing where they have."""
    first, second = read_record(one), read_record(other)
    if first["frames_sha256"] == second["frames_sha256"]:
        return []
    return [
        f"{one}: the restored frames are not those of {other} "
        f"({first['frames']} and {second['frames']} frames, {first['frames_sha256']} and {second['frames_sha256']})"
    ]
