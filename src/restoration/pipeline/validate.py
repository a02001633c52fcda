"""Checks a document against a JSON schema and says every mistake at once, in the user's terms."""

import difflib
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from restoration.errors import RestorationError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Every job of a cluster reads the registry twice: the one written in C takes a tenth of the time."""
Document = Any
"""What YAML and JSON can hold."""


def read_yaml(path: Path) -> Document:
    """Load a YAML file; a missing or malformed one raises RestorationError with file, line and column."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), LOADER)
    except OSError as error:
        raise RestorationError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RestorationError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from error


def problems(document: Document, schema: dict[str, Any], place: str) -> list[str]:
    """Every way in which *document* breaks *schema*: where (*place* and key path), what was found, what is allowed."""
    errors = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda error: list(map(str, error.path)))
    return [line for error in errors for line in _explain(error, place)]


def whole(document: Document) -> Document:
    """The same with whole floats as integers: JSON schema takes 2.0 for an integer, and 2 and 2.0 are one setting."""
    if isinstance(document, dict):
        return {str(key): whole(value) for key, value in document.items()}
    if isinstance(document, list):
        return [whole(value) for value in document]
    if isinstance(document, float) and not math.isfinite(document):
        return str(document)  # no range excludes "not a number"
    return int(document) if isinstance(document, float) and document.is_integer() else document


def typed(text: str, about: dict[str, Any]) -> Document:
    """Text from a table cell or a command line as the type that the schema *about* it asks for; what does not fit stays
    text, for the schema to reject."""
    if "string" in about["type"]:
        return text
    try:
        # `--config delete=true` and `=True` are both what people write.
        return whole(json.loads(text.lower() if about["type"] == "boolean" else text))
    except json.JSONDecodeError:
        return text


def as_text(settings: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The same with numbers as text where *options*, their schemas, ask for text: frame rates look like numbers."""
    return {
        name: str(value) if type(value) in (int, float) and options.get(name, {}).get("type") == "string" else value
        for name, value in settings.items()
    }


def unknown(place: str, what: str, found: str, allowed: Iterable[str]) -> str:
    """The message for a name that is none of the *allowed* ones, with the nearest of them."""
    names = sorted(allowed)
    near = difflib.get_close_matches(found, names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{place}: unknown {what} {found!r}; allowed: {', '.join(names)}{hint}"


def _explain(error: ValidationError, place: str) -> Iterator[str]:
    where = ": ".join([place, ".".join(map(str, error.path))]) if error.path else place
    schema = error.schema
    assert isinstance(schema, dict)
    match error.validator:
        case "additionalProperties":
            allowed = schema.get("properties", {})
            for key in cast(dict[str, Any], error.instance):
                if key not in allowed:
                    yield unknown(where, "key", str(key), allowed)
        case "required":
            yield f"{where}: {error.message}"
        case "propertyNames" | "dependentRequired":
            yield f"{where}: {error.message}"
        case _:
            about = f" — {schema['description']}" if "description" in schema else ""
            yield f"{where}: found {json.dumps(error.instance, ensure_ascii=False)}, allowed: {_allowed(schema)}{about}"


def _allowed(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(json.dumps(value) if str(value).isdigit() else str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kinds = schema.get("type", "a value")
    words = [" or ".join([kinds] if isinstance(kinds, str) else kinds)]
    if "minimum" in schema:
        words.append(f"at least {schema['minimum']}")
    if "exclusiveMinimum" in schema:
        words.append(f"above {schema['exclusiveMinimum']}")
    if "maximum" in schema:
        words.append(f"at most {schema['maximum']}")
    if "pattern" in schema:
        words.append(f"of the form {schema['pattern']}")
    return ", ".join(words)
