"""A record of provenance in the terms of W3C PROV (PROV-O), as JSON-LD.

Files and weights are named by their content (RFC 6920), frames between two stages are blank nodes.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from restoration.pipeline.steps import ENLARGING_STEPS, FINDING_STEPS, SMALL_STEPS

CONTEXT = {
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "dcterms": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "label": "rdfs:label",
    "licence": "dcterms:license",
    "version": "schema:softwareVersion",
    "settings": {"@id": "prov:value", "@type": "@json"},
    **{
        relation: {"@id": f"prov:{relation}", "@type": "@id"}
        for relation in ("used", "wasGeneratedBy", "wasDerivedFrom", "wasAssociatedWith")
    },
}
SOFTWARE = "_:restoration"


def prov(record: Mapping[str, Any]) -> str:
    """JSON-LD of the *record*, as `restoration.provenance.record.build_record` gives it."""
    source = _name(record["source"]["sha256"])
    graph: list[dict[str, Any]] = [
        _entity(source, record["source"]["name"]),
        {
            "@id": SOFTWARE,
            "@type": ["prov:Agent", "prov:SoftwareAgent"],
            "label": "restoration",
            "version": record["software"]["restoration"],
        },
    ]
    for name, network in record["networks"].items():
        graph.append(_entity(_name(network["sha256"]), f"weights of {name}") | {"licence": network["licence"]})
    last = small = source
    for stage in record["stages"]:
        step = stage["step"]
        weights = [_name(record["networks"][network]["sha256"]) for network in stage["networks"]]
        graph.append(
            {
                "@id": f"_:{step}",
                "@type": "prov:Activity",
                "label": step,
                "used": [small if step in SMALL_STEPS else last, *weights],
                "wasAssociatedWith": SOFTWARE,
                "settings": stage["settings"],
            }
        )
        if step not in ("probe", *FINDING_STEPS) and not step.startswith(("encode", "sign", "images")):
            frames = f"_:frames-after-{step}"
            graph.append(
                _entity(frames, f"frames after {step}") | {"wasGeneratedBy": f"_:{step}", "wasDerivedFrom": last}
            )
            last = frames
            small = small if step in ENLARGING_STEPS else frames
    for file in record["results"]:
        if "step" in file:
            made = {"wasGeneratedBy": f"_:{file['step']}", "wasDerivedFrom": source}
            graph.append(_entity(_name(file["sha256"]), file["name"]) | made)
    return json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1) + "\n"


def _entity(identifier: str, label: str) -> dict[str, Any]:
    return {"@id": identifier, "@type": "prov:Entity", "label": label}


def _name(sha256: str) -> str:
    """The URI that names content by its SHA-256, given in hexadecimal."""
    return f"ni:///sha-256;{urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip('=')}"
