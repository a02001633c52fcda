"""Results in S3: the same files as in a folder, made once, and no work lost to a storage that fails."""

import shutil
from collections import Counter

import pandas as pd
import pytest

from workflow.media import frames, make_clip
from workflow.project import REPOSITORY, Project, jobs

URL = "s3://archive/out"
VIDEOS = ("one", "two")


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A run with results in a folder: two videos, one of them with faces to record."""
    project = Project.create(tmp_path_factory.mktemp("local"))
    make_clip(project.source("regular"), shots=(12,), pts=[3600 * i for i in range(12)], seed=5)
    shutil.copytree(REPOSITORY / "config" / "weights", project.folder / "config" / "weights")
    with project.config() as settings:
        settings["recipes"]["faces"] = {"faces": {}, "encode": {"preset": "ultrafast"}}
    with project.manifest() as rows:
        rows[:] = [
            {"video": video, "source": "sources/regular.mp4", "recipe": recipe, "upscale": upscale}
            for video, recipe, upscale in zip(VIDEOS, ("tiny", "faces"), ("off", ""), strict=True)
        ]
    project.run()
    return project


@pytest.fixture
def project(local, tmp_path):
    """The same work, and results that are still to be made and go to S3."""
    project = local.copy(tmp_path / "copy")
    shutil.rmtree(project.results)
    with project.config() as settings:
        settings["results"] = URL
    return project


def told(path):
    """Whether a file tells sums of others, or times."""
    return path.name.endswith((".provenance.json", ".premis.xml", ".prov.jsonld", ".html"))


def made(folder):
    """The results in a folder, by their place in it: bytes, but frames of Matroska, which has random numbers in it, and
    nothing of what tells these, or when it was made, or how long that took."""
    files = [path for path in folder.glob("*/*") if path.is_file()]
    return {
        str(path.relative_to(folder)): frames(path) if path.suffix == ".mkv" else path.read_bytes() * (not told(path))
        for path in files
    }


def stored(bucket, folder):
    """Those in the bucket, the same way."""
    shutil.rmtree(folder, ignore_errors=True)
    for item in bucket.objects.filter(Prefix="out/"):
        path = folder / item.key.removeprefix("out/")
        path.parent.mkdir(parents=True, exist_ok=True)
        bucket.download_file(item.key, str(path))
    return made(folder)


def summary(project):
    table = pd.read_csv(project.folder / "logs" / "summary.tsv", sep="\t", index_col="video", keep_default_na=False)
    return table["status"].to_dict()


def test_everything_is_in_the_bucket_and_made_once(project, local, s3, bucket, tmp_path):
    ran = project.run()
    assert ran == jobs("encode", "comparison", of=VIDEOS) + jobs("record", of=["two"]) + Counter(["mark"])
    assert len(made(local.results)) == 2 * 10 + 2
    assert stored(bucket, tmp_path / "stored") == made(local.results)
    assert summary(project) == dict.fromkeys(VIDEOS, "done")
    assert not project.results.exists()
    assert not [path for path in (project.folder / ".snakemake" / "storage").rglob("*") if path.is_file()]

    requests = []
    s3.server.app = counting(s3.server.app, requests)
    assert not project.dry()
    assert len(requests) <= 4, "a listing, rather than a question for each result"

    bucket.Object("out/two/two.faces.json").delete()
    assert project.run() == jobs("record", "provenance", "measure", "judge", "page", of=["two"])
    assert stored(bucket, tmp_path / "stored") == made(local.results)
    bucket.Object("out/one/one.mp4").delete()
    assert project.run() == jobs("encode", "comparison", of=["one"])
    assert stored(bucket, tmp_path / "stored") == made(local.results)
    assert summary(project) == dict.fromkeys(VIDEOS, "done")
    assert "Traceback" not in project.snakemake("prune").output


def counting(app, requests):
    def counted(environ, start_response):
        requests.append(environ["PATH_INFO"])
        return app(environ, start_response)

    return counted


def refusing(app, part):
    """*app*, but nothing can be written to addresses that hold *part*."""

    def refused(environ, start_response):
        if environ["REQUEST_METHOD"] == "PUT" and part in environ["PATH_INFO"]:
            start_response("403 Forbidden", [])
            return []
        return app(environ, start_response)

    return refused


def test_a_refused_upload_fails_alone(project, local, s3, bucket, tmp_path):
    app, s3.server.app = s3.server.app, refusing(s3.server.app, "/two/two.mp4")
    run = project.snakemake()
    assert run.code == 1
    assert f"Failed to store output in storage {URL}/two/two.mp4" in run.output
    assert summary(project) == {"one": "done", "two": "unfinished"}
    index = bucket.Object("out/index.html").get()["Body"].read().decode()
    assert 'href="one/one.html"' in index and 'href="two/two.html"' not in index and "unfinished" in index
    s3.server.app = app
    assert project.run() == jobs("encode", "comparison", of=["two"])
    assert stored(bucket, tmp_path / "stored") == made(local.results)


def test_a_storage_that_is_not_there_is_named_before_anything_begins(project, s3, monkeypatch):
    run = project.snakemake()
    assert run.code == 1 and not run.jobs
    assert f"config: results: {URL}: there is no such bucket" in run.output
    assert not list(s3.buckets.all()), "the plugin would make one"
    monkeypatch.setenv("SNAKEMAKE_STORAGE_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SNAKEMAKE_STORAGE_S3_RETRIES", "1")
    run = project.snakemake()
    assert run.code == 1 and not run.jobs
    assert f"config: results: {URL}: Could not connect" in run.output


def test_wrong_credentials_are_named_before_anything_begins(project, s3, bucket):
    s3.server.app = forbidding
    run = project.snakemake()
    assert run.code == 1 and not run.jobs
    assert f"config: results: {URL}: " in run.output and "Forbidden" in run.output


def forbidding(environ, start_response):
    start_response("403 Forbidden", [])
    return []


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ("gs2://bucket/out", "no storage plugin for gs2://bucket/out is installed"),
        ("https://example.org/out", "nothing can be written to http"),
        ("s3://bucket/out?x", "names with ? or # cannot be used in s3"),
        ("s3:///out", "names no bucket"),
    ],
)
def test_a_url_that_means_nothing_is_a_mistake(project, results, said):
    run = project.snakemake("--dry-run", "--config", f"results={results}")
    assert run.code == 1 and not run.jobs
    assert f"config: results: {said}" in run.output
