"""The grid of `explore`: every combination once, named by what it is."""

import re

import pytest
import yaml

from media_factory import CONFIG_SCHEMA
from restoration.pipeline.explore import cells
from restoration.pipeline.manifest import Row

STAGES = {
    stage: yaml.safe_load(CONFIG_SCHEMA.read_text(encoding="utf-8"))["$defs"][stage]
    for stage in ("ingest", "repair", "retouch", "clean", "colorize", "upscale", "faces", "encode")
}
ROWS = [
    Row(
        "line 2", "a", "a.mp4", "film", 1.0, None, {}, {"upscale": {"tile": 64, "outscale": 4}, "ingest": {"fps": "25"}}
    ),
    Row("line 3", "b", "b.mp4", "film", None, None, {}, {}),
]


def grid(rows=ROWS, videos=(), sample="shots", **columns):
    columns = {column.replace("__", "."): values for column, values in columns.items()}
    return cells(rows, [row.video for row in rows], {"videos": list(videos), "sample": sample, "grid": columns}, STAGES)


def test_every_combination_is_a_row_of_its_own():
    found, mistakes = grid(upscale__outscale=[1, 2], colorize__force=[True, False], sample="every 3")
    assert not mistakes
    assert list(found) == ["a", "b"]
    assert [list(cell.values.values()) for cell in found["a"]] == [
        ["1", "true"],
        ["1", "false"],
        ["2", "true"],
        ["2", "false"],
    ]
    last = found["a"][-1].row
    assert last.overrides == {
        "upscale": {"tile": 64, "outscale": 2},
        "colorize": {"force": False},
        "ingest": {"fps": "25", "sample": "every 3"},
    }
    assert (last.source, last.recipe, last.start) == ("a.mp4", "film", 1.0)
    names = [cell.row.video for made in found.values() for cell in made]
    assert len(set(names)) == 8


def test_a_cell_keeps_its_name_when_the_grid_grows_and_when_columns_change_places():
    few, _ = grid(videos=["a"], upscale__outscale=[1, 2], colorize__force=[True])
    more, _ = grid(videos=["a"], colorize__force=[False, True], upscale__outscale=[1, 2, 3])
    assert {cell.row.video for cell in few["a"]} < {cell.row.video for cell in more["a"]}
    assert len(more["a"]) == 6


def test_stages_can_be_left_out_and_recipes_changed():
    found, mistakes = grid(videos=["b"], upscale=[False, True], recipe=["film", "phone"])
    assert not mistakes
    assert [(cell.row.recipe, cell.row.overrides.get("upscale", {})) for cell in found["b"]] == [
        ("film", None), ("phone", None), ("film", {}), ("phone", {}),
    ]  # fmt: skip


def test_without_a_grid_there_are_no_cells():
    assert grid() == ({}, [])


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"upscale__outscal": [1]}, "config: explore.grid: .*'upscale.outscal'.*upscale.outscale"),
        ({"videos": ["c"], "upscale__outscale": [1]}, "config: explore.videos: .*'c'"),
        ({"upscale__outscale": ["big"]}, 'config: explore.grid: upscale: outscale: found "big"'),
        ({"encode__crf": [18, 20]}, "config: explore.grid: .*'encode.crf'"),
        ({"ingest__sample": ["shots"]}, "config: explore.grid: .*'ingest.sample'"),
        ({"colorize__hints": ["a.yaml"]}, "config: explore.grid: .*'colorize.hints'"),
    ],
)
def test_mistakes_are_named(chosen, says):
    _, mistakes = grid(**chosen)
    assert len(mistakes) == 1
    assert re.search(says, mistakes[0]), mistakes
