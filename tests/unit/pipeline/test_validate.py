"""Messages about a document that breaks its schema."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from restoration.errors import RestorationError
from restoration.pipeline.validate import problems, read_yaml, unknown

WORKFLOW = Path(__file__).parents[3] / "workflow"
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "description": "what it is called"},
        "size": {"type": "integer", "minimum": 1, "maximum": 9, "description": "how large"},
        "ratio": {"type": "number", "exclusiveMinimum": 0},
        "kind": {"enum": ["red", "green"]},
        "fixed": {"const": 4},
        "either": {"type": ["string", "null"]},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
    },
    "$defs": {"part": {"type": "object", "additionalProperties": False, "properties": {"width": {"type": "integer"}}}},
}


def test_a_sound_document_has_no_problems():
    assert problems({"name": "a", "size": 3, "ratio": 0.5, "kind": "red", "either": None}, SCHEMA, "x") == []


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "x: 'name' is a required property"),
        ({"name": "A"}, 'x: name: found "A", allowed: string, of the form ^[a-z]+$ — what it is called'),
        ({"name": "a", "size": 0}, "x: size: found 0, allowed: integer, at least 1, at most 9 — how large"),
        ({"name": "a", "size": "3"}, 'x: size: found "3", allowed: integer, at least 1, at most 9 — how large'),
        ({"name": "a", "size": True}, "x: size: found true, allowed: integer, at least 1, at most 9 — how large"),
        ({"name": "a", "ratio": 0}, "x: ratio: found 0, allowed: number, above 0"),
        ({"name": "a", "kind": "blue"}, 'x: kind: found "blue", allowed: red, green'),
        ({"name": "a", "fixed": 5}, "x: fixed: found 5, allowed: 4"),
        ({"name": "a", "either": 1}, "x: either: found 1, allowed: string or null"),
        (
            {"name": "a", "parts": [{}, {"widht": 1}]},
            "x: parts.1: unknown key 'widht'; allowed: width; did you mean 'width'?",
        ),
        ({"name": "ä"}, 'x: name: found "ä", allowed: string, of the form ^[a-z]+$ — what it is called'),
    ],
)
def test_each_problem_says_where_what_and_what_is_allowed(document, message):
    assert problems(document, SCHEMA, "x") == [message]


def test_all_problems_come_at_once_each_key_on_its_own():
    found = problems({"size": 0, "kind": "blue", "sice": 1, "zzzz": 2, "parts": [{"width": "w"}]}, SCHEMA, "x")
    assert len(found) == 6
    places = [line.removeprefix("x: ").split(":")[0] for line in found]
    assert sorted(places) == [
        "'name' is a required property",
        "kind",
        "parts.0.width",
        "size",
        "unknown key 'sice'; allowed",
        "unknown key 'zzzz'; allowed",
    ]


def test_unknown_names_have_the_nearest_known_one():
    assert unknown("x", "key", "therads", ["device", "threads"]) == (
        "x: unknown key 'therads'; allowed: device, threads; did you mean 'threads'?"
    )
    assert unknown("x", "key", "qqq", ["b", "a"]) == "x: unknown key 'qqq'; allowed: a, b"


def test_yaml_that_cannot_be_read(tmp_path):
    with pytest.raises(RestorationError, match=r"no\.yaml: cannot be read: No such file or directory"):
        read_yaml(tmp_path / "no.yaml")
    (tmp_path / "bad.yaml").write_text("a: 1\nb: [1, 2\nc: 3\n")
    with pytest.raises(RestorationError, match=r"bad\.yaml: is not valid YAML: .*line 3, column 2"):
        read_yaml(tmp_path / "bad.yaml")


@pytest.mark.parametrize("name", ["config", "manifest", "models"])
def test_schemas_are_schemas_and_describe_every_option(name):
    schema = read_yaml(WORKFLOW / "schemas" / f"{name}.schema.yaml")
    Draft202012Validator.check_schema(schema)
    described(schema, name)


def described(schema, place):
    for key, about in schema.get("properties", {}).items():
        assert {"description", "$ref"} & set(about), f"{place}.{key}"
    for key in ("properties", "$defs"):
        for name, about in schema.get(key, {}).items():
            described(about, f"{place}.{name}")
