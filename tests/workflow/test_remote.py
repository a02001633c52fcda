"""Sources that are fetched: those that come whole are as good as local ones, the others fail alone."""

import hashlib
import json
import threading
from base64 import b64encode
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest

from workflow.conftest import SECRET
from workflow.media import frames, make_clip, packets
from workflow.project import Project, jobs

ODD = f"two%20words%20%28%C3%BC%29.mp4?id=1&signature={SECRET}"
BAD = {"gone": "no such file", "failing": "bytes came", "cut": "IncompleteRead", "wrong": "the manifest says"}
"""Sources that do not come as they should, and what is said of each."""
LOGIN = "Basic " + b64encode(f"me:{SECRET}".encode()).decode()


class Site(ThreadingHTTPServer):
    """Serves *files* to who logs in, except as *faults* has it; notes in *asked* what is sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.faults, self.asked = {}, {}, []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        name = unquote(urlsplit(self.path).path).strip("/")
        content, fault = self.server.files[name], self.server.faults.get(name)
        if fault == "gone" or (fault == "failing" and body):
            self.send_error(404 if fault == "gone" else 500)
            return
        if self.headers["Authorization"] != LOGIN:
            self.send_error(401)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.server.asked.append(name)
            self.wfile.write(content[: len(content) // 2] if fault == "cut" else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch, tmp_path):
    login = tmp_path / "netrc"
    login.write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(login))
    monkeypatch.setenv("no_proxy", "*")
    site = Site()
    yield site
    site.close()


@pytest.fixture
def project(tmp_path):
    """Nothing but one short clip, which is not enlarged; attempts follow each other soon."""
    project = Project.create(tmp_path)
    make_clip(project.source("regular"), shots=(12,), pts=[3600 * i for i in range(12)], seed=5)
    project.edit("src/restoration/media/remote.py", "PAUSES = (1, 4)", "PAUSES = (0.1, 0.2)")
    return project


def ask_for(project, sources, **promised):
    """Make the manifest of *sources*, by video, and the SHA-256 that is *promised* of some."""
    with project.manifest() as rows:
        plain = {"recipe": "tiny", "upscale": "off"}
        rows[:] = [
            {"video": video, "source": source, "sha256": promised.get(video), **plain}
            for video, source in sources.items()
        ]


def assert_named(run, bad):
    """Each bad source in a line with its reason, and no other failure."""
    assert run.code != 0
    for video, reason in bad.items():
        said = [line for line in run.output.splitlines() if line.startswith(f"{video} ") and "ERROR" in line]
        assert said and all(reason in line and video in line.partition("ERROR")[2] for line in said), run.output
    assert Counter(job for job in run.jobs.elements() if job.startswith("unreadable")) == jobs("unreadable", of=bad)
    assert "Traceback" not in run.output


def assert_same(project, *videos):
    """They are restored as if their source were local."""
    for video in videos:
        assert frames(project.restored(video)) == frames(project.restored("local"))
        assert packets(project.restored(video), "video") == packets(project.restored("local"), "video")


def told(project):
    """All that was written, except the sources, the results and what the user wrote."""
    folders = (project.work, project.folder / "logs", project.folder / ".snakemake", project.folder.parent / "runs")
    return b"".join(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())


def test_http(project, site):
    clip = project.source("regular").read_bytes()
    site.files = {f"{name}.mp4": clip for name in BAD} | {"two words (ü).mp4": clip}
    site.faults = {f"{name}.mp4": name for name in BAD}
    sources = {"local": "sources/regular.mp4", "odd": f"{site.url}/{ODD}"}
    sources |= {name: f"{site.url}/{name}.mp4" for name in BAD}
    ask_for(project, sources, wrong="0" * 64)

    first = project.snakemake()
    assert_named(first, BAD)
    assert_same(project, "odd")
    assert site.asked.count("two words (ü).mp4") == 1
    assert not any((project.results / name).exists() for name in BAD)
    assert SECRET.encode() not in told(project)
    report = json.loads(project.restored("odd").with_name("odd.mp4.delivery.json").read_text())
    assert report["source"]["url"] == f"{site.url}/{ODD}".partition("?")[0]

    site.faults, site.asked = {}, []
    del sources["failing"], sources["cut"]
    sha256 = hashlib.sha256(clip).hexdigest()
    # What is true of a source that is done, is no reason to do it again.
    ask_for(project, sources, wrong=sha256.upper(), local=sha256)
    mended = project.run()
    assert mended.pop("probe local") and mended.pop("plan")
    assert {job.split()[-1] for job in mended} == {"gone", "wrong"}
    assert sorted(site.asked) == ["gone.mp4", "wrong.mp4"]
    assert_same(project, "gone", "wrong")

    site.close()
    assert "Nothing to be done" in project.snakemake().output


def test_s3(project, bucket):
    source = project.source("regular")
    bucket.upload_file(str(source), "reels/no 1+%20.mp4")
    ask_for(project, {"good": "s3://archive/reels/no 1+%20.mp4", "reels": "s3://archive/reels"})
    run = project.snakemake()
    assert_named(run, {"reels": "this is a folder"})
    (copy,) = project.work.glob("good/source.*.mp4")
    assert copy.read_bytes() == source.read_bytes()
    assert len(frames(project.restored("good"))[1]) == 12
    assert not list(project.work.glob("reels/source.*"))
    assert SECRET.encode() not in told(project)
