"""A record of provenance as PREMIS 3 (Library of Congress), the language in which archives keep what was done to files.

Objects are source and results, an event stands for each stage, agents are the software and the networks.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

NAMESPACE = "http://www.loc.gov/premis/v3"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
LOCATION = f"{NAMESPACE} http://www.loc.gov/standards/premis/v3/premis.xsd"
EVENT_TYPES = {
    "probe": "metadata extraction",
    "frames": "decoding",
    "encode": "creation",
    "sign": "digital signature generation",
}
"""What PREMIS calls steps; the others are modifications."""
SOURCE = "source"

Tree = tuple[str, "str | Sequence[Tree]"]


def premis(record: Mapping[str, Any], made: datetime) -> str:
    """XML of the *record*, as `restoration.provenance.record.build_record` gives it.

    *made* is when the main result was written, the only time that is known: stages before it ended no later.
    """
    ET.register_namespace("", NAMESPACE)
    ET.register_namespace("xsi", INSTANCE)
    root = ET.Element(f"{{{NAMESPACE}}}premis", {"version": "3.0", f"{{{INSTANCE}}}schemaLocation": LOCATION})
    for tree in [*_objects(record), *_events(record, made), *_agents(record)]:
        element = _grown(root, tree)
        if tree[0] == "object":
            element.set(f"{{{INSTANCE}}}type", "file")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _grown(parent: ET.Element, tree: Tree) -> ET.Element:
    name, content = tree
    element = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if isinstance(content, str):
        element.text = content
    else:
        for branch in content:
            _grown(element, branch)
    return element


def _identifier(what: str, value: str, *more: Tree) -> Tree:
    """PREMIS's identifiers, and links to them, of files by their names, of events and agents by what they are."""
    return (what, [(f"{what}Type", "local"), (f"{what}Value", value), *more])


def _objects(record: Mapping[str, Any]) -> Iterator[Tree]:
    source = record["source"]
    yield _object(f"{SOURCE}/{source['name']}", source, record["probe"]["container"])
    for file in record["results"]:
        derived: Tree = (
            "relationship",
            [
                ("relationshipType", "derivation"),
                ("relationshipSubType", "has source"),
                _identifier("relatedObjectIdentifier", f"{SOURCE}/{source['name']}"),
            ],
        )
        yield _object(file["name"], file, file["name"].rpartition(".")[2], *([derived] if "step" in file else []))


def _object(identifier: str, file: Mapping[str, Any], format: str, *more: Tree) -> Tree:
    fixity: Tree = ("fixity", [("messageDigestAlgorithm", "SHA-256"), ("messageDigest", file["sha256"])])
    designation: Tree = ("format", [("formatDesignation", [("formatName", format)])])
    characteristics: Tree = ("objectCharacteristics", [fixity, ("size", str(file["bytes"])), designation])
    name: Tree = ("originalName", file["name"])
    return ("object", [_identifier("objectIdentifier", identifier), characteristics, name, *more])


def _events(record: Mapping[str, Any], made: datetime) -> Iterator[Tree]:
    source = f"{SOURCE}/{record['source']['name']}"
    for stage in record["stages"]:
        step = stage["step"]
        settings = ", ".join(f"{option} {value}" for option, value in stage["settings"].items())
        objects = [("source", source)] if step in ("probe", "frames") else []
        objects += [("outcome", file["name"]) for file in record["results"] if file.get("step") == step]
        yield (
            "event",
            [
                _identifier("eventIdentifier", step),
                ("eventType", EVENT_TYPES.get(step.partition(".")[0], "modification")),
                ("eventDateTime", made.isoformat(timespec="seconds")),
                (
                    "eventDetailInformation",
                    [("eventDetail", f"{step} (ended at this time or before): {settings or 'no settings'}")],
                ),
                *(
                    _identifier("linkingAgentIdentifier", agent, ("linkingAgentRole", "executing program"))
                    for agent in ["restoration", *stage["networks"]]
                ),
                *(_identifier("linkingObjectIdentifier", name, ("linkingObjectRole", role)) for role, name in objects),
            ],
        )


def _agents(record: Mapping[str, Any]) -> Iterator[Tree]:
    for name, version in record["software"].items():
        if name not in ("commit", "platform"):
            yield _agent(name, version)
    for name, network in record["networks"].items():
        yield _agent(name, f"sha256:{network['sha256']}", f"a network; licence of its weights: {network['licence']}")


def _agent(name: str, version: str, *notes: str) -> Tree:
    described: list[Tree] = [("agentName", name), ("agentType", "software"), ("agentVersion", version)]
    return ("agent", [_identifier("agentIdentifier", name), *described, *(("agentNote", note) for note in notes)])
