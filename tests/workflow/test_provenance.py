"""What was delivered is vouched for, can be proved, signed and made again."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from restoration.media.mark import SOURCE_TYPE
from restoration.pipeline.validate import problems, read_yaml
from unit.provenance.conftest import signer
from workflow.project import CLIPS, REPOSITORY, Project, jobs

__all__ = ["signer"]

SCHEMA = read_yaml(REPOSITORY / "workflow" / "schemas" / "provenance.schema.yaml")


def script(name, *arguments):
    """Call a script as users do."""
    command = [sys.executable, REPOSITORY / "workflow" / "scripts" / name, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def record_of(project, video):
    return project.results / video / f"{video}.provenance.json"


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("video", CLIPS)
def test_every_result_has_a_record_that_holds(finished, video):
    path = record_of(finished.project, video)
    record = json.loads(path.read_text())
    assert problems(record, SCHEMA, "") == []
    assert [stage["step"] for stage in record["stages"]] == ["probe", "frames", "upscale", "encode"]
    (line,) = record["ran_with"]
    assert line.startswith("upscale: OpenVINO ")
    assert {file["name"] for file in record["results"]} == {f"{video}.mp4", f"{video}.mp4.delivery.json"}
    for kind in ("provenance.json", "premis.xml", "prov.jsonld"):
        told = path.with_name(f"{video}.{kind}").read_text()
        assert str(finished.project.folder.parent) not in told
        assert str(Path.home()) not in told or Path.home() == Path("/")
    assert script("verify.py", path).returncode == 0


def test_verify_finds_what_is_off_and_mends_nothing(project):
    assert "as recorded" in project.snakemake("verify").output
    flip(project.restored("regular"))
    report = project.restored("irregular").with_name("irregular.mp4.delivery.json")
    report.unlink()
    run = project.snakemake("verify")
    assert run.code != 0
    assert f"{project.restored('regular').relative_to(project.folder)}: its content changed" in run.output
    assert "irregular.mp4.delivery.json: the file is missing" in run.output
    assert "2 of 2 videos are not what is recorded" in run.output
    assert not report.exists()


def test_the_same_run_again_gives_the_same_frames(finished, tmp_path):
    project, again = finished.project, tmp_path / "again" / "project"
    record, source = record_of(project, "irregular"), project.source("irregular")
    other = script("reproduce.py", record, again, "--source", project.source("regular"))
    assert (other.returncode, again.exists()) == (1, False)
    assert "is not the original of irregular" in other.stderr
    assert script("reproduce.py", record, again, "--source", source).returncode == 0
    if Project.prepared:
        shutil.copytree(Project.prepared, again / "weights")
    repeated = Project(tmp_path / "again")
    repeated.checkout = project.checkout
    repeated.run("--configfile", "config.yaml")
    assert script("verify.py", record, "--same-frames-as", record_of(repeated, "irregular")).returncode == 0
    assert record_of(repeated, "irregular").read_bytes() == record.read_bytes()
    found = script("verify.py", record, "--same-frames-as", record_of(project, "regular"))
    assert (found.returncode, "the restored frames are not those of" in found.stdout) == (1, True)


def read(path):
    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(int)


def test_results_are_signed_and_labelled_on_request(project, signer):
    certificate, key = signer
    plain, before = read(project.restored("regular")), json.loads(record_of(project, "regular").read_text())
    with project.config() as settings:
        settings["recipes"]["tiny"]["copies"] = {"master": {"codec": "ffv1", "container": "mkv"}}
        settings["recipes"]["tiny"]["encode"] |= {"label": "AI", "label_seconds": 0.5}
        settings["sign"] = {"certificate": str(certificate), "key": str(key)}
    with project.manifest() as rows:
        del rows[1]
    # The comparison shows the restored video, which is another file now.
    assert set(project.run()) == {*jobs("encode", "comparison", of=["regular"]), "sign regular", "plan"}
    signed = {f"regular{name}" for name in (".mp4", ".master.mkv")}
    record = json.loads(record_of(project, "regular").read_text())
    assert {file["name"] for file in record["results"] if file.get("certificate_sha256")} == signed
    assert script("verify.py", record_of(project, "regular")).returncode == 0
    assert record["frames_sha256"] == before["frames_sha256"]
    apart = np.abs(read(project.restored("regular")) - plain).max(axis=(1, 2, 3)) > 100
    assert apart.nonzero()[0].tolist() == list(range(13)), "the frames that begin within half a second, of 25 in one"
    assert {about["digital_source_type"] for about in record["results"] if "step" in about} == {SOURCE_TYPE}
    secret = key.read_text().splitlines()[1]
    for folder in ("results", "work", "logs"):
        for path in (project.folder / folder).rglob("*"):
            assert path.is_dir() or secret.encode() not in path.read_bytes()
    assert not project.dry()
    (project.results / "regular" / "regular.master.mkv.c2pa").unlink()
    assert script("verify.py", record_of(project, "regular")).returncode == 1
