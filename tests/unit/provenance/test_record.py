"""The record, and what it becomes in the languages of others."""

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from restoration.media.identity import sha256
from restoration.provenance.premis import premis
from restoration.provenance.prov import prov

P = "{http://www.loc.gov/premis/v3}"
MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_stages_are_told_in_order_with_networks_and_settings(delivered):
    stages = delivered.record["stages"]
    assert [stage["step"] for stage in stages] == ["probe", "frames", "colorize", "upscale", "encode"]
    assert stages[3] == {"step": "upscale", "code": "4", "networks": ["sharp"], "settings": {"model": "sharp"}}


def test_what_was_decided_about_each_shot_is_told(delivered):
    shots = delivered.record["shots"]
    assert [(shot["first"], shot["last"], shot["begin"], shot["end"]) for shot in shots] == [
        (0, 2, 0, 0.12), (3, 5, 0.12, 0.24),
    ]  # fmt: skip
    assert [shot["colorize"] for shot in shots] == ["colorized", "left alone: it has colour"]
    delivered.spec["steps"][2]["force"] = True
    delivered.write()
    assert delivered.record["shots"][1]["colorize"] == "colorized, though it had colour"
    del delivered.spec["steps"][2]
    delivered.write()
    assert "colorize" not in delivered.record["shots"][0]


def test_a_record_refers_to_that_of_faces(delivered):
    track = {"face": 0, "shot": 0, "first": 0, "last": 2, "decision": "restored"}
    faces = delivered.folder / "a.faces.json"
    faces.write_text(json.dumps({"method": "invented", "faces": [track | {"unrest": 3}], "frames": [{"frame": 0}]}))
    delivered.write()
    assert delivered.record["faces"] == {
        "record": {"name": "a.faces.json", "sha256": sha256(faces)}, "method": "invented", "tracks": [track]
    }  # fmt: skip
    assert "a.faces.json" in {file["name"] for file in delivered.record["results"]}


def test_a_record_is_the_same_when_it_is_made_again_elsewhere(delivered, tmp_path):
    first = delivered.path.read_bytes()
    elsewhere = delivered.folder.rename(tmp_path / "elsewhere")
    delivered.folder = elsewhere
    delivered.write()
    assert delivered.path.read_bytes() == first
    assert str(tmp_path) not in first.decode()


def test_premis_links_what_it_names(delivered):
    root = ET.fromstring(premis(delivered.record, MADE))
    assert root.tag == f"{P}premis"
    digests = {element.text for element in root.iter(f"{P}messageDigest")}
    assert digests == {delivered.record["source"]["sha256"], *(file["sha256"] for file in delivered.record["results"])}
    assert [element.text for element in root.iter(f"{P}eventIdentifierValue")] == [
        stage["step"] for stage in delivered.record["stages"]
    ]
    assert {element.text for element in root.iter(f"{P}eventDateTime")} == {"2026-01-02T03:04:05+00:00"}
    for kind in ("Agent", "Object"):
        named = {element.text for element in root.iter(f"{P}{kind.lower()}IdentifierValue")}
        linked = {element.text for element in root.iter(f"{P}linking{kind}IdentifierValue")}
        assert linked
        assert linked <= named
    # The order that the schema of PREMIS prescribes.
    assert [child.tag.removeprefix(P) for child in root] == ["object"] * 3 + ["event"] * 5 + ["agent"] * 5
    event = root.find(f"{P}event")
    assert [child.tag.removeprefix(P) for child in event][:4] == [
        "eventIdentifier", "eventType", "eventDateTime", "eventDetailInformation"
    ]  # fmt: skip


def test_prov_leads_from_the_result_back_to_the_source(delivered):
    document = json.loads(prov(delivered.record))
    nodes = {node["@id"]: node for node in document["@graph"]}
    at = next(name for name, node in nodes.items() if node["label"] == "a.mp4")
    passed = []
    while "wasGeneratedBy" in nodes[at]:
        activity = nodes[nodes[at]["wasGeneratedBy"]]
        passed.append(activity["label"])
        assert all(used in nodes for used in activity["used"])
        assert activity["wasAssociatedWith"] in nodes
        at = activity["used"][0]
    assert passed == ["encode", "upscale", "colorize", "frames"]
    assert nodes[at]["label"] == "original.mp4"
    settings = {"code": "7", "networks": [], "settings": {}}
    delivered.record["stages"].insert(4, {"step": "detect"} | settings)
    (detect,) = (node for node in json.loads(prov(delivered.record))["@graph"] if node["label"] == "detect")
    assert detect["used"] == ["_:frames-after-colorize"], "faces are found before upscaling"
    weights = {nodes[used]["label"] for used in nodes["_:upscale"]["used"][1:]}
    assert weights == {"weights of sharp"}
