"""Files that say the same thing twice must not drift apart."""

import re
from pathlib import Path

import pytest
import yaml

from restoration.pipeline.forecast import ON_GPU

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def config() -> dict:
    return yaml.safe_load((ROOT / "config/config.yaml").read_text())


@pytest.fixture(scope="module")
def schema() -> dict:
    return yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def test_every_option_is_described(schema: dict) -> None:
    groups = [schema, *schema["$defs"].values()]
    options = [about for group in groups for about in group["properties"].values() if "$ref" not in about]
    assert all(about.get("description") for about in options)


def test_readme_knows_every_recipe(config: dict) -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in config["recipes"] if f"`{name}`" not in readme] == []


def test_conda_environment_pins_what_the_lock_pins() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pins = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    lock = [line.replace("'", '"') for line in (ROOT / "requirements.lock").read_text().splitlines()]
    assert pins == lock, "run: make environment.yml"


def test_both_manifests_of_the_demo_are_one() -> None:
    assert (ROOT / "config/manifest.tsv").read_text() == (ROOT / "demo/manifest.tsv").read_text()


def test_slurm_profile_sends_what_asks_for_a_gpu_where_gpus_are() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    bodies = re.findall(r"^(?:rule|checkpoint) (\w+):\n((?:    .*\n|\n)+)", rules, re.MULTILINE)
    asking = {rule for rule, body in bodies if re.search(r"\bgpu=", body)}
    assert {*ON_GPU, "calibrate"} == asking
    profile = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())
    resources = profile["set-resources"].items()
    assert asking
    assert {rule for rule, settings in resources if settings.get("slurm_partition") == "gpu"} == asking
    assert profile["default-resources"]["slurm_partition"] != "gpu"
