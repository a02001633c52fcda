"""A record holds for what was delivered, and for nothing else."""

import pytest

from restoration.errors import RestorationError
from restoration.pipeline.validate import problems
from restoration.provenance.verify import discrepancies, read_record, same_frames


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_what_was_delivered_is_as_recorded(delivered, schema):
    assert problems(delivered.record, schema, "") == []
    assert discrepancies(delivered.path, schema) == []


@pytest.mark.parametrize("at", [0, 1000, -1])
@pytest.mark.parametrize("name", ["a.mp4", "a.mp4.delivery.json"])
def test_one_flipped_byte_is_found(delivered, schema, name, at):
    at = at if name == "a.mp4" or at <= 0 else 20
    flip(delivered.folder / name, at)
    found = discrepancies(delivered.path, schema)
    assert found[0].startswith(f"{delivered.folder / name}: its content changed: its SHA-256 is ")


def test_a_file_that_no_decoder_knows_is_told_and_no_stack_trace(delivered, schema):
    file = delivered.folder / "a.mp4"
    file.write_bytes(file.read_bytes().replace(b"avc1", b"zvc1"))
    found = discrepancies(delivered.path, schema)
    assert "its content changed" in found[0] and "it cannot be read" in found[1]


def test_a_missing_and_a_shortened_file_are_found(delivered, schema):
    (delivered.folder / "a.mp4.delivery.json").unlink()
    (delivered.folder / "a.mp4").write_bytes((delivered.folder / "a.mp4").read_bytes()[:-10])
    found = discrepancies(delivered.path, schema)
    assert any("a.mp4: it has " in line and "are recorded" in line for line in found)
    assert any(line.endswith("a.mp4.delivery.json: the file is missing") for line in found)


@pytest.mark.parametrize(
    ("entry", "value", "said"),
    [
        ("frames", 7, "frames is 6; 7 is recorded"),
        ("size", [64, 64], "size is [64, 48]; [64, 64] is recorded"),
        ("codec", "hevc", "codec is 'h264'; 'hevc' is recorded"),
        ("digital_source_type", "", "digital source type is 'http://cv.iptc.org/newscodes/digitalsourcetype/"),
        ("certificate_sha256", "c" * 64, "its signature cannot be read"),
    ],
)
def test_a_record_that_tells_of_another_file_is_found(delivered, schema, entry, value, said):
    results = [file | ({entry: value} if "step" in file else {}) for file in delivered.record["results"]]
    delivered.change(results=results)
    assert said in discrepancies(delivered.path, schema)[0]


@pytest.mark.parametrize(
    ("entry", "value", "said"),
    [
        ("networks", {}, "name different networks: paint, sharp"),
        ("frames", 7, "6 frames were probed, 7 restored"),
        ("source", {"name": "x", "bytes": 1, "sha256": "0" * 64}, "two different sources"),
    ],
)
def test_a_record_that_contradicts_itself_is_found(delivered, schema, entry, value, said):
    delivered.change(**{entry: value})
    assert said in discrepancies(delivered.path, schema)[0]


def test_a_record_cannot_vouch_for_files_elsewhere(delivered, schema):
    results = [file | {"name": f"../{file['name']}"} for file in delivered.record["results"]]
    delivered.change(results=results)
    assert "results.0.name" in discrepancies(delivered.path, schema)[0]


def test_what_is_no_record_is_told(tmp_path):
    with pytest.raises(RestorationError, match="cannot be read"):
        read_record(tmp_path / "a.provenance.json")
    for text in ("{", "[]"):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(RestorationError, match="is no record of provenance"):
            read_record(tmp_path / "a.json")


def test_frames_are_compared(delivered, tmp_path):
    other = tmp_path / "other.json"
    other.write_bytes(delivered.path.read_bytes())
    assert same_frames(delivered.path, other) == []
    delivered.change(frames_sha256="e" * 64)
    (line,) = same_frames(delivered.path, other)
    assert "the restored frames are not those of" in line
