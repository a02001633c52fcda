"""The registry that we ship, and lookups in it."""

import re
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from restoration.errors import RestorationError
from restoration.models.registry import load_registry

ROOT = Path(__file__).parents[3]
REGISTRY = ROOT / "config/models.yaml"


@pytest.fixture(scope="module")
def schema():
    schema = yaml.safe_load((ROOT / "workflow/schemas/models.schema.yaml").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture
def entries():
    return yaml.safe_load(REGISTRY.read_text())


def test_the_shipped_registry_is_valid(schema, entries):
    assert [error.message for error in schema.iter_errors(entries)] == []


def test_what_is_shown_for_those_who_have_the_hashes_is_valid(schema, tmp_path):
    """The networks for old photographs: their comments, made entries, with a hash each."""
    text = REGISTRY.read_text()
    begin = text.index("# old-photos-quality:")
    entries = re.sub(r"^# ?", "", text[begin:], flags=re.MULTILINE)
    hashes = (f"f{number:063x}" for number in count())
    entries = re.sub(r"(?<=sha256: )0123…", lambda _: next(hashes), entries)
    (tmp_path / "models.yaml").write_text(text[:begin] + entries)
    assert [error.message for error in schema.iter_errors(yaml.safe_load(text[:begin] + entries))] == []
    models = load_registry(tmp_path / "models.yaml")
    old = {name: model for name, model in models.items() if name.startswith("old-photos-")}
    assert {model.task for model in old.values()} == {
        "retouch",
        "autoencode",
        "find_scratches",
        "restore_faces",
    } and len(old) == 9
    for model in old.values():
        partners = [models[partner].task for partner in (model.encoder, model.decoder, model.detector) if partner]
        wanted = ["autoencode", "autoencode", "find_scratches"] if model.task == "retouch" else []
        assert partners == wanted or (model.id == "old-photos-quality" and partners == wanted[:2])
    assert len({source["file"] for model in old.values() for source in model.sources if "file" in source}) == 9


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "B8A8"},
        {"scale": 0},
        {"format": "pickle"},
        {"colour": "blue"},
        {"sources": []},
        {"sources": [{"url": "ftp://example.org/a"}]},
        {"sources": [{"wheel": "a"}]},
        {"sources": [{"url": "https://example.org/a", "wheel": "a"}]},
        {"sources": [{"url": "https://example.org/a", "wheel": "a", "file": "a"}]},
        {"architecture": None},
        {"architecture": {"name": "RRDBNet", "num_block": 6, "scale": 4, "num_feat": 64}},
        {"architecture": {"name": "CUNet", "scale": 4}},
        {"architecture": {"name": "UpCunet"}},
        {"architecture": {"name": "UpConv7", "scale": 2}},
        {"architecture": {"name": "SPADEGenerator"}},
        {"architecture": {"name": "SPADEGenerator", "edge": 300}},
    ],
)
def test_a_wrong_entry_is_invalid(schema, entries, change):
    entry = entries["RealESRGAN_x4plus-fp16"] | change
    assert not schema.is_valid({"mine": {key: value for key, value in entry.items() if value is not None}})


@pytest.mark.parametrize(
    "source",
    [
        {"url": "https://example.org/a.pth"},
        {"url": "https://example.org/a.zip", "file": "a/b.pth"},
        {"wheel": "a", "file": "b.bin"},
        {"file": "b.pth"},
    ],
)
def test_all_kinds_of_sources_are_valid(schema, entries, source):
    assert schema.is_valid({"mine": entries["RealESRGAN_x4plus"] | {"sources": [source]}})


def test_a_model_id_is_a_plain_file_name(schema, entries):
    assert not schema.is_valid({"../mine": entries["RealESRGAN_x4plus"]})


def test_entries_become_models():
    registry = load_registry(REGISTRY)
    model = registry["RealESRGAN_x2plus"]
    assert (model.id, model.scale, model.licence) == ("RealESRGAN_x2plus", 2, "BSD-3-Clause")
    assert model.sources[0]["url"].endswith("v0.2.1/RealESRGAN_x2plus.pth")
    assert len({model.sha256 for model in registry.values()}) == len(registry)


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(RestorationError, match=r"RealESRGAN_x4pluss.*models\.yaml.*did you mean RealESRGAN_x4plus "):
        load_registry(REGISTRY)["RealESRGAN_x4pluss"]


def test_the_registry_is_light():
    code = "import sys, restoration.models.registry; sys.exit(bool({'torch', 'numpy', 'requests'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "src")}).returncode == 0
