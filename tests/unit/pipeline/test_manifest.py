"""Reading the manifest: every mistake at once, with its line."""

from pathlib import Path

import pytest

from restoration.errors import RestorationError
from restoration.pipeline.manifest import read_manifest
from restoration.pipeline.validate import read_yaml

SCHEMAS = Path(__file__).parents[3] / "workflow" / "schemas"
SCHEMA = read_yaml(SCHEMAS / "manifest.schema.yaml")
STAGES = {stage: read_yaml(SCHEMAS / "config.schema.yaml")["$defs"][stage] for stage in ("upscale", "encode")}
PLAIN = "video\tsource\trecipe\n"


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(content, name="m.tsv"):
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_manifest(Path(name), SCHEMA, STAGES)

    return read


def sound(read, *arguments):
    rows, mistakes = read(*arguments)
    assert mistakes == []
    return rows


def test_a_row(read):
    (row,) = sound(read, "recipe\tsource\tvideo\nfilm\tin put/ä.mp4\ta-1\n")
    assert (row.video, row.source, row.recipe) == ("a-1", "in put/ä.mp4", "film")
    assert (row.start, row.end, row.overrides, row.place) == (None, None, {}, "m.tsv, line 2")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (PLAIN + "a\tx.mp4\tfilm\n", "m.tsv"),
        (PLAIN + "a\tx.mp4\tfilm", "M.TSV"),
        ("video,source,recipe\na,x.mp4,film\n", "m.csv"),
        ('video,source,recipe\n"a","x.mp4","film"\n', "m.csv"),
        ("\ufeff" + PLAIN + "a\tx.mp4\tfilm\n", "m.tsv"),
        ((PLAIN + "a\tx.mp4\tfilm\n").replace("\n", "\r\n"), "m.tsv"),
        (PLAIN + "\n\t\t\na\tx.mp4\tfilm\n\n", "m.tsv"),
        ("video\tsource\trecipe\tend\tupscale.tile\na\tx.mp4\tfilm\n", "m.tsv"),
    ],
    ids=["tsv", "capitals", "csv", "quoted", "bom", "crlf", "blank lines", "short row"],
)
def test_forms(read, content, name):
    (row,) = sound(read, content, name)
    assert (row.video, row.source, row.recipe) == ("a", "x.mp4", "film")


def test_a_comma_in_a_quoted_source(read):
    assert sound(read, 'video,source,recipe\na,"x, y.mp4",film\n', "m.csv")[0].source == "x, y.mp4"


@pytest.mark.parametrize("word", ["NA", "null", "None", "nan", "007", "1e5", "true"])
def test_words_that_look_like_something_else_stay_words(read, word):
    (row,) = sound(read, PLAIN + f"{word}\t{word}\t{word}\n")
    assert (row.video, row.source, row.recipe) == (word,) * 3


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("12.5", 12.5), ("90", 90), ("0:01:30", 90), ("01:02:03.456", 3723.456), ("100:00:00", 360000)],
)
def test_times(read, text, seconds):
    (row,) = sound(read, f"video\tsource\trecipe\tstart\tend\na\tx\tfilm\t{text}\t9999999\n")
    assert row.start == pytest.approx(seconds, abs=1e-9)
    assert row.end == 9999999


@pytest.mark.parametrize("text", ["-1", "1:30", "1e3", "1,5", "00:60:00", "00:00:61", "soon", "1.", ".5"])
def test_times_that_are_none(read, text):
    rows, mistakes = read(f"video\tsource\trecipe\tstart\na\tx\tfilm\t{text}\n")
    assert rows == []
    assert len(mistakes) == 1
    assert mistakes[0].startswith(f'm.tsv, line 2: start: found "{text}", allowed: ')
    assert "HH:MM:SS" in mistakes[0]


@pytest.mark.parametrize(("start", "end"), [("5", "5"), ("0:00:06", "5.5")])
def test_an_end_before_the_start(read, start, end):
    _, mistakes = read(f"video\tsource\trecipe\tstart\tend\na\tx\tfilm\t{start}\t{end}\n")
    assert mistakes == [f"m.tsv, line 2: end: found {end}, allowed: later than start ({start})"]


def test_promises_are_kept_as_numbers_and_in_lower_case(read):
    columns = "video\tsource\trecipe\tsha256\tbytes\n"
    rows = sound(read, columns + f"a\tx\tfilm\t{'Ab' * 32}\t12\nb\ts3://b/x\tfilm\t\t12\nc\tx\tfilm\t\t\n")
    assert [row.promised for row in rows] == [{"bytes": 12, "sha256": "ab" * 32}, {"bytes": 12}, {}]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("sha256", "ab" * 31),
        ("sha256", "xy" * 32),
        ("sha256", "ab" * 33),
        ("bytes", "1.5"),
        ("bytes", "-1"),
        ("bytes", "0"),
    ],
)
def test_promises_that_cannot_be_kept(read, column, text):
    _, mistakes = read(f"video\tsource\trecipe\t{column}\na\tx\tfilm\t{text}\n")
    assert len(mistakes) == 1
    assert mistakes[0].startswith(f'm.tsv, line 2: {column}: found "{text}", allowed: ')


def test_urls_that_cannot_be_fetched_are_named_with_the_other_mistakes(read):
    rows, mistakes = read(
        PLAIN
        + "a\tftp://h/x.mp4\tfilm\n"
        + "b\thttps://me:SeCrEt@h/x.mp4\tfilm\n"
        + "c d\ts3://b/folder/\tfilm\n"
        + "e\thttps://h/x.mp4?id=5\tfilm\n"
        + "f\t12:30.mp4\tfilm\n"
    )
    assert [row.source for row in rows] == ["https://h/x.mp4?id=5", "12:30.mp4"]
    for beginning in (
        "m.tsv, line 2: source: ftp:// cannot be fetched; allowed: ",
        "m.tsv, line 3: source: holds a user name or password",
        'm.tsv, line 4: video: found "c d"',
        "m.tsv, line 4: source: names no file",
    ):
        assert sum(mistake.startswith(beginning) for mistake in mistakes) == 1, (beginning, mistakes)
    assert len(mistakes) == 4
    assert "SeCrEt" not in "".join(mistakes)


def test_overrides_have_the_type_of_their_option(read):
    columns = "video\tsource\trecipe\tupscale.outscale\tupscale.tile\tupscale.model\tencode.crf\tencode.preset\n"
    rows = sound(read, columns + "a\tx\tfilm\t2\t256\t007\t18\tslow\nb\tx\tfilm\t1.5\t\t\t\t\n")
    assert rows[0].overrides == {
        "upscale": {"outscale": 2, "tile": 256, "model": "007"},
        "encode": {"crf": 18, "preset": "slow"},
    }
    assert rows[1].overrides == {"upscale": {"outscale": 1.5}}


@pytest.mark.parametrize("columns", ["upscale\tupscale.outscale", "upscale.outscale\tupscale"])
def test_off_leaves_the_stage_out_whatever_else_the_row_says(read, columns):
    cells = "off\t2" if columns.startswith("upscale\t") else "2\toff"
    (row,) = sound(read, f"video\tsource\trecipe\t{columns}\na\tx\tfilm\t{cells}\n")
    assert row.overrides == {"upscale": None}


@pytest.mark.parametrize("text", ["on", "OFF", "no", "0"])
def test_a_stage_takes_nothing_but_off(read, text):
    _, mistakes = read(f"video\tsource\trecipe\tupscale\na\tx\tfilm\t{text}\n")
    assert mistakes == [f"m.tsv, line 2: upscale: found {text!r}, allowed: off, or empty to do as the recipe says"]


def test_encoding_cannot_be_left_out(read):
    _, mistakes = read("video\tsource\trecipe\tencode\na\tx\tfilm\toff\n")
    assert mistakes == ["m.tsv, line 2: encode: every video passes this stage; override its settings one by one"]


@pytest.mark.parametrize("second", ["a", "A"])
def test_names_must_differ_in_more_than_case(read, second):
    _, mistakes = read(PLAIN + f"a\tx\tfilm\nb\tx\tfilm\n\n{second}\ty\tfilm\n")
    assert mistakes == [
        f"m.tsv, line 5: video: {second!r} is already taken by line 2; names must differ in more than case"
    ]


def test_many_mistakes_come_at_once(read):
    columns = "video\tsource\trecipe\tstart\tupscale.outscal\tencode.crf\tupscale\n"
    rows, mistakes = read(
        columns
        + "../a\tx\tfilm\t\t\t\t\n"
        + "b\t\tfilm\t1:30\t\t99\t\n"
        + "c\tx\tfilm\t\t\t\t\n"
        + "C\tx\t\t\t\thigh\tmaybe\n"
    )
    assert [row.video for row in rows] == ["c"]
    for beginning in (
        "m.tsv: unknown column 'upscale.outscal'; allowed: ",
        'm.tsv, line 2: video: found "../a"',
        "m.tsv, line 3: 'source' is a required property",
        'm.tsv, line 3: start: found "1:30"',
        "m.tsv, line 3: encode: crf: found 99, allowed: integer, at least 0, at most 63",
        "m.tsv, line 5: 'recipe' is a required property",
        'm.tsv, line 5: encode: crf: found "high"',
        "m.tsv, line 5: upscale: found 'maybe'",
        "m.tsv, line 5: video: 'C' is already taken by line 4",
    ):
        assert sum(mistake.startswith(beginning) for mistake in mistakes) == 1, (beginning, mistakes)
    assert len(mistakes) == 9
    assert mistakes[0].endswith("did you mean 'upscale.outscale'?")


@pytest.mark.parametrize("name", ["../a", "a/b", "a b", ".a", "-a", "_a", "ä", "a" * 101, "a\\b", "a{b}"])
def test_names_that_are_no_folder_names(read, name):
    rows, mistakes = read(PLAIN + f"{name}\tx\tfilm\n")
    assert rows == []
    assert mistakes[0].startswith("m.tsv, line 2: video: found ")


def test_missing_columns(read):
    rows, mistakes = read("vidoe\tsource\na\tx\n")
    assert rows == []
    assert mistakes[0].endswith("did you mean 'video'?")
    assert mistakes[1:] == ["m.tsv: column 'video' is missing", "m.tsv: column 'recipe' is missing"]


@pytest.mark.parametrize("content", [PLAIN, PLAIN + "\n\n", PLAIN + "\t\t\n"])
def test_a_manifest_without_videos(read, content):
    assert read(content) == ([], ["m.tsv: there are no videos in it"])


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "m.tsv", "is not a table: No columns"),
        ("\ufeff", "m.tsv", "is not a table"),
        (PLAIN.encode("utf-16"), "m.tsv", "is not a table: 'utf-8' codec"),
        ((PLAIN + "a\tä\tfilm\n").encode("latin-1"), "m.tsv", "is not a table: 'utf-8' codec"),
        (PLAIN + "a\tx\tfilm\nb\tx\tfilm\tmore\n", "m.tsv", "is not a table: .*Expected 3 fields in line 3, saw 4"),
        (PLAIN + "a\tx\tfilm\tmore\nb\tx\tfilm\n", "m.tsv", "is not a table: .*"),
        (PLAIN, "m.txt", r"name must end in \.tsv or \.csv"),
    ],
)
@pytest.mark.filterwarnings("ignore::pandas.errors.ParserWarning")
def test_what_is_no_table(read, content, name, says):
    with pytest.raises(RestorationError, match=rf"^{name}: .*{says}"):
        read(content, name)


def test_a_missing_manifest(tmp_path):
    with pytest.raises(RestorationError, match=r"no\.tsv: cannot be read: No such file"):
        read_manifest(tmp_path / "no.tsv", SCHEMA, STAGES)
    (tmp_path / "d.tsv").mkdir()
    with pytest.raises(RestorationError, match=r"d\.tsv: cannot be read: Is a directory"):
        read_manifest(tmp_path / "d.tsv", SCHEMA, STAGES)
