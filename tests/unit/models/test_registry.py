"""The registry that we ship, and lookups in it."""

import subprocess
import sys
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
