"""The digest of code: what does nothing leaves it alone, what does something changes it."""

import ast
import shutil
from pathlib import Path

import pytest

from restoration.pipeline import digest
from restoration.pipeline.digest import canonical, code_digest, short_hash
from restoration.pipeline.steps import STEPS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package and the scripts; each call of `of` parses afresh."""
    shutil.copytree(ROOT / "src" / "restoration", tmp_path / "restoration")
    shutil.copytree(ROOT / "workflow" / "scripts", tmp_path / "scripts")
    monkeypatch.setattr(digest, "PACKAGE", tmp_path / "restoration")
    yield tmp_path
    digest._parsed.cache_clear()


def of(package, script="frames"):
    digest._parsed.cache_clear()
    return code_digest(package / "scripts" / f"{script}.py")


def edit(package, file, old, new):
    path = package / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


EXTRACT = "restoration/media/extract.py"
DO_NOTHING = {
    "comment": ("    done = 0\n", "    done = 0  # nothing yet\n\n    # a remark\n"),
    "docstring": ('"""Extraction: any run', '"""Another word: any run'),
    "docstring of a function": ('    """Yield frames', '    """Give frames'),
    "no docstring": (
        '"""Extraction: any run of frames of a source, found by pts and proved by hash to be those that',
        '"""',
    ),
    "format": ("Fraction(0), Fraction(10), None", "Fraction( 0 ),\n    Fraction(10),\n    None,"),
    "more brackets": ("r = logging.getLogger(__name__)", "r = logging.getLogger((__name__))"),
    "brackets": ("    done = 0\n", "    done = (0)\n"),
}


@pytest.mark.parametrize(("old", "new"), DO_NOTHING.values(), ids=DO_NOTHING)
def test_what_does_nothing(package, old, new):
    before = of(package)
    edit(package, EXTRACT, old, new)
    assert of(package) == before


DO_SOMETHING = {
    "a number": ("Fraction(10)", "Fraction(11)"),
    "a comparison": ("number < first + done", "number <= first + done"),
    "a name": ("done += 1", "first += 1"),
    "a missing statement": ("                done += 1\n", ""),
    "an order": ("chain([picture], pictures)", "chain(pictures, [picture])"),
    "an int for a float": ("Fraction(10)", "Fraction(10.0)"),
    "a string": ("after seeking", "having sought"),
    "a default": ("first: int, last: int)", "first: int, last: int = 0)"),
}


@pytest.mark.parametrize(("old", "new"), DO_SOMETHING.values(), ids=DO_SOMETHING)
def test_what_does_something(package, old, new):
    before = of(package)
    edit(package, EXTRACT, old, new)
    assert of(package) != before


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("scripts/frames.py", {"frames"}),
        ("restoration/frames.py", {"probe", "frames", "upscale", "encode", "comparison"}),
        ("restoration/errors.py", {"probe", "frames", "upscale", "encode", "comparison"}),
        ("restoration/__init__.py", {"probe", "frames", "upscale", "encode", "comparison"}),
        ("restoration/media/source.py", {"probe", "frames", "encode", "comparison"}),
        ("restoration/media/chunks.py", {"frames", "upscale", "encode", "comparison"}),
        ("restoration/media/extract.py", {"frames", "comparison"}),
        ("restoration/media/encode.py", {"encode"}),
        ("restoration/media/still.py", {"probe", "frames", "encode", "comparison"}),
        ("restoration/media/still_delivery.py", {"encode"}),
        ("restoration/engines/tiles.py", {"upscale"}),
        ("restoration/models/load.py", {"upscale"}),
        ("restoration/stages/runner.py", {"upscale"}),
        ("restoration/review/comparison.py", {"comparison"}),
        ("restoration/media/__init__.py", {"probe", "frames", "upscale", "encode", "comparison"}),
        ("restoration/pipeline/job.py", set()),
        ("restoration/pipeline/flight.py", set()),
        ("restoration/pipeline/configuration.py", set()),
        ("restoration/version.py", set()),
        ("restoration/pipeline/prune.py", set()),
        ("restoration/models/fetch.py", set()),
    ],
)
def test_an_edit_concerns_exactly_the_steps_that_run_it(package, file, changes):
    scripts = ("probe", "frames", "upscale", "encode", "comparison")
    before = {script: of(package, script) for script in scripts}
    with (package / file).open("a") as handle:
        handle.write("\nADDED = 1\n")
    assert {script for script in scripts if of(package, script) != before[script]} == changes


def test_how_settings_are_read_concerns_no_step(package):
    before = {step: of(package, step) for step in STEPS}
    with (package / "restoration" / "pipeline" / "configuration.py").open("a") as handle:
        handle.write("\nADDED = 1\n")
    assert [step for step in STEPS if of(package, step) != before[step]] == []


def test_new_modules_are_followed_wherever_they_are_imported(package):
    (package / "restoration" / "media" / "new.py").write_text("VALUE = 1\n")
    before = of(package)
    edit(package, EXTRACT, "def extract(", "def _lazy():\n    import restoration.media.new\n\n\ndef extract(")
    imported = of(package)
    assert imported != before
    (package / "restoration" / "media" / "new.py").write_text("VALUE = 2\n")
    assert of(package) != imported


def test_modules_that_import_each_other(package):
    (package / "restoration" / "one.py").write_text("import restoration.two\n")
    (package / "restoration" / "two.py").write_text("import restoration.one\n")
    (package / "scripts" / "frames.py").write_text("from restoration import one\n")
    before = of(package)
    (package / "restoration" / "two.py").write_text("import restoration.one\nx = 1\n")
    assert of(package) != before


def test_place_and_time_of_the_files_do_not_matter(package, tmp_path_factory, monkeypatch):
    before = of(package)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "tree"
    shutil.copytree(package, elsewhere)
    monkeypatch.setattr(digest, "PACKAGE", elsewhere / "restoration")
    assert of(elsewhere) == before


def test_the_library_imports_only_in_ways_that_are_followed():
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow" / "scripts").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}, line {node.lineno}: relative imports are not followed"
            elif isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                assert name not in ("import_module", "__import__", "exec"), f"{path}, line {node.lineno}"


def test_canonical_json():
    assert canonical({"b": [1, None, True], "a": "ä"}) == canonical({"a": "ä", "b": [1, None, True]})
    assert canonical({"a": 1}) == '{"a":1}'
    assert canonical({"a": 1}) != canonical({"a": "1"})
    assert short_hash("x") != short_hash("y")
    assert len(short_hash("x")) == 10
