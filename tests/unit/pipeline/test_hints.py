"""The sidecar of hints: everything in it is used or refused."""

from pathlib import Path

import pytest
import yaml

from restoration.media.identity import sha256
from restoration.pipeline.hints import read_hints

SCHEMA = yaml.safe_load((Path(__file__).parents[3] / "workflow/schemas/hints.schema.yaml").read_text())


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_text(name)
    return tmp_path


def read(folder, document, *, palette="", palettes=None):
    path = folder / "hints.yaml"
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return read_hints(str(path), palette, palettes or {}, SCHEMA, "row 1")


def test_nothing_said_is_no_hint():
    hints, mistakes = read_hints("", "", {}, SCHEMA, "row 1")
    assert not hints and not mistakes and not hints.images()


def test_everything_that_can_be_said(folder):
    hints, mistakes = read(
        folder,
        {
            "references": ["a.png", "b.png"],
            "strength": 0.5,
            "shots": [{"frame": 7, "references": ["c.png"]}],
            "points": [{"frame": 3, "x": 1.5, "y": 2, "colour": "#B22222"}],
        },
    )
    assert not mistakes and hints
    assert hints.images() == [folder / name for name in ("a.png", "b.png", "c.png")]
    assert hints.settings() == {
        "references": [
            {"frame": None, "strength": 0.5, "images": [sha256(folder / "a.png"), sha256(folder / "b.png")]},
            {"frame": 7, "strength": 1, "images": [sha256(folder / "c.png")]},
        ],
        "points": [{"frame": 3, "x": 1.5, "y": 2, "colour": "#B22222", "radius": 0}],
    }


def test_references_go_before_the_palette_and_points_beside_it(folder):
    palettes = {"stock": [str(folder / "a.png")]}
    point = {"frame": 0, "x": 0, "y": 0, "colour": "#000000"}
    beside, _ = read(folder, {"points": [point]}, palette="stock", palettes=palettes)
    assert beside.images() == [folder / "a.png"] and beside.points
    before, _ = read(folder, {"references": ["b.png"]}, palette="stock", palettes=palettes)
    assert before.images() == [folder / "b.png"]


@pytest.mark.parametrize(
    ("document", "mistake"),
    [
        ({"references": ["missing.png"]}, "row 1: reference image "),
        ({"points": [{"frame": 0, "x": 0, "y": 0, "colour": "red"}]}, "points.0.colour: found \"red\""),
        ({"points": [{"frame": 0, "x": 0, "colour": "#ffffff"}]}, "'y' is a required property"),
        ({"pionts": []}, "unknown key 'pionts'; allowed: points, references, shots, strength; did you mean 'points'?"),
        ("references: [", "is not valid YAML"),
    ],
)  # fmt: skip
def test_mistakes_are_named(folder, document, mistake):
    _, mistakes = read(folder, document)
    assert len(mistakes) == 1 and mistake in mistakes[0]


def test_an_unknown_palette_and_a_missing_sidecar():
    _, mistakes = read_hints("nowhere.yaml", "kodak", {"kodachrome": []}, SCHEMA, "row 1")
    assert mistakes == [
        "row 1: colorize.palette: unknown palette 'kodak'; allowed: kodachrome; did you mean 'kodachrome'?",
        "row 1: colorize.hints: nowhere.yaml: cannot be read: No such file or directory",
    ]
