"""Finished runs, made once for all workers of a test session; every test gets a copy of its own."""

import json
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
import requests
from filelock import FileLock
from moto.server import ThreadedMotoServer

from restoration.engines.engine import use
from restoration.engines.start import Options, upscaling_engine
from restoration.models.convert import convert
from restoration.models.fetch import fetch
from restoration.models.registry import load_registry
from restoration.pipeline.networks import Networks
from workflow.project import OTHER_TILE, REPOSITORY, Project

NETWORK = "realesr-animevideov3-fp16"
SECRET = "SeCrEt"


@pytest.fixture(scope="session")
def shared(tmp_path_factory, worker_id):
    """Call `shared(name, make)`: one worker calls make(root), all get what it returned (of JSON) and the root."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent

    def made_once(name, make):
        root, note = base / name, base / f"{name}.json"
        with FileLock(base / f"{name}.lock"):
            if not note.exists():
                note.write_text(json.dumps(make(root)))
        return root, json.loads(note.read_text())

    return made_once


@pytest.fixture(scope="session", autouse=True)
def prepared(shared):
    """See `Project.prepared`."""

    def make(root):
        networks = Networks(load_registry(REPOSITORY / "config" / "models.yaml"), str(root), noncommercial=False)
        model, weights = networks.models[NETWORK], Path(networks.weights(NETWORK))
        convert(fetch(model, root / "downloads"), model, weights)
        use(1, "openvino")
        upscaling_engine(weights, model.sha256, Options(0, 0, "fp32", "cpu"))
        use(1)
        shutil.rmtree(root / "downloads", ignore_errors=True)
        weights.unlink()

    Project.prepared, _ = shared("prepared", make)


@pytest.fixture(scope="session")
def finished(shared, prepared):
    """A finished run of both clips: the project, and the seconds that it took."""

    def make(root):
        project = Project.create(root)
        begin = time.monotonic()
        project.run()
        return time.monotonic() - begin

    root, seconds = shared("finished", make)
    return SimpleNamespace(project=Project(root), seconds=seconds)


@pytest.fixture(scope="session")
def retiled(shared, finished):
    """The same project after another run with another tile size, and the jobs of that run."""

    def make(root):
        project = finished.project.copy(root)
        with project.stage("upscale") as upscale:
            upscale["tile"] = OTHER_TILE
        return project.run()

    root, jobs = shared("retiled", make)
    return SimpleNamespace(project=Project(root), jobs=jobs)


@pytest.fixture
def project(finished, tmp_path):
    """A finished project to do anything with."""
    return finished.project.copy(tmp_path / "copy")


@pytest.fixture
def retiled_project(retiled, tmp_path):
    """A finished project with the results of two tile sizes, to do anything with."""
    return retiled.project.copy(tmp_path / "copy")


@pytest.fixture
def s3(monkeypatch):
    """A storage that Snakemake is told of by its own variables; a test may wrap the application of its `server`."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    requests.post(f"{url}/moto-api/reset", timeout=60)  # all servers of a process have the same buckets
    access = {"endpoint_url": url, "access_key": "somebody", "secret_key": SECRET}
    for name, value in access.items():
        monkeypatch.setenv(f"SNAKEMAKE_STORAGE_S3_{name.upper()}", value)
    monkeypatch.setenv("no_proxy", "*")
    storage = boto3.resource(
        "s3", endpoint_url=url, region_name="us-east-1",
        aws_access_key_id=access["access_key"], aws_secret_access_key=SECRET,
    )  # fmt: skip
    storage.server = server._server
    yield storage
    server.stop()


@pytest.fixture
def bucket(s3):
    """A bucket in it."""
    return s3.create_bucket(Bucket="archive")
