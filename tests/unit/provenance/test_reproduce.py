"""From a record to what Snakemake needs to do the same again."""

import pandas as pd
import pytest
import yaml

from restoration.errors import RestorationError
from restoration.media.identity import sha256
from restoration.pipeline.face_list import read_face_list
from restoration.pipeline.hints import read_hints
from restoration.provenance.reproduce import differences, write_project


@pytest.fixture
def own(delivered, tmp_path):
    """Weights of one's own, of which the record knows the content."""
    path = tmp_path / "renamed.pth"
    path.write_bytes(b"weights")
    delivered.record["rerun"]["models"]["paint"]["sha256"] = sha256(path)
    return path


def test_a_project_is_what_was_recorded(delivered, own, tmp_path):
    folder = tmp_path / "again"
    write_project(delivered.record, delivered.source, folder, [own])
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["recipes"] == delivered.spec["rerun"]["recipe"]
    assert (config["chunk_frames"], config["manifest"], config["models"]) == (240, "manifest.tsv", "models.yaml")
    (row,) = pd.read_csv(folder / "manifest.tsv", sep="\t").to_dict("records")
    assert row == {
        "video": "a", "source": str(delivered.source), "recipe": "film", "start": 1.5,
        "bytes": delivered.source.stat().st_size, "sha256": sha256(delivered.source),
    }  # fmt: skip
    models = yaml.safe_load((folder / "models.yaml").read_text())
    assert models["paint"]["sources"] == [{"file": str(own)}]
    assert models["sharp"]["sources"] == [{"wheel": "w", "file": "f"}]


def test_another_source_and_missing_weights_are_refused(delivered, own, tmp_path):
    other = tmp_path / "other.mp4"
    other.write_bytes(b"x")
    for source in (other, tmp_path / "none.mp4"):
        with pytest.raises(RestorationError, match=r"is not the original of a, which is original\.mp4"):
            write_project(delivered.record, source, tmp_path / "again", [own])
    with pytest.raises(RestorationError, match=r"weights of paint \(own\.pth\).*--file"):
        write_project(delivered.record, delivered.source, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_hints_and_faces_come_back(delivered, own, tmp_path, request):
    image = tmp_path / "postcard.jpg"
    image.write_bytes(b"picture")
    references = [
        {"frame": None, "strength": 1, "images": [sha256(image)]},
        {"frame": 4, "strength": 0.5, "images": [sha256(image)]},
    ]
    points = [{"frame": 1, "x": 3, "y": 4, "colour": "#ff0000", "radius": 0}]
    delivered.record["stages"] += [
        {"step": "hints", "settings": {"references": references, "points": points}},
        {"step": "track", "settings": {"points": [[0.0, 10.0, 20.0]]}},
    ]
    folder = tmp_path / "again"
    with pytest.raises(RestorationError, match="a reference image"):
        write_project(delivered.record, delivered.source, folder, [own])
    write_project(delivered.record, delivered.source, folder, [own, image])
    schema = yaml.safe_load((request.config.rootpath / "workflow" / "schemas" / "hints.schema.yaml").read_text())
    hints, mistakes = read_hints(str(folder / "hints.yaml"), "", {}, schema, "here")
    assert not mistakes
    assert (hints.settings()["references"], [point["frame"] for point in hints.points]) == (references, [1])
    assert read_face_list(str(folder / "faces.tsv")) == [[0.0, 10.0, 20.0]]


def test_other_software_is_told(delivered):
    assert differences(delivered.record, {"restoration": "1", "python": "3.12", "ffmpeg": "8", "extra": "1"}) == [
        "python is 3.12 here, and was 3.11"
    ]
