"""Downloads from servers that misbehave, and files put in place by hand."""

import hashlib
import io
import random
import threading
import zipfile
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from restoration.errors import RestorationError
from restoration.models import fetch as fetch_module
from restoration.models.fetch import fetch
from restoration.models.registry import Model, load_registry

REGISTRY = Path(__file__).parents[3] / "config/models.yaml"
DATA = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
WRONG = bytes(len(DATA))


@dataclass
class Site:
    """A server of *content*; *break_after* bytes every answer breaks off."""

    content: bytes = DATA
    status: int = 200
    ranges: bool = True
    break_after: int | None = None
    content_range: str | None = None
    asked: list[str | None] = field(default_factory=list)
    name: str = "weights.pth"
    url: str = ""


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(fetch_module.time, "sleep", lambda seconds: None)
    servers = []

    def start(site: Site) -> Site:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers["Range"]
                site.asked.append(asked)
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and site.ranges else 0
                if start >= len(site.content):
                    self.send_error(416)
                    return
                body = site.content[start:]
                self.send_response(206 if start else site.status)
                if start:
                    actual = f"bytes {start}-{len(site.content) - 1}/{len(site.content)}"
                    self.send_header("Content-Range", site.content_range or actual)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: site.break_after])

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        site.url = f"http://127.0.0.1:{server.server_port}/{site.name}"
        return site

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def dead(serve):
    """A port that nobody listens on."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.server_close()
    return Site(url=f"http://127.0.0.1:{server.server_port}/weights.pth")


def model(*sources: Site | dict[str, str]) -> Model:
    return Model(
        id="tiny",
        task="upscale",
        scale=4,
        licence="MIT",
        format="pth",
        bytes=len(DATA),
        sha256=SHA256,
        sources=tuple({"url": source.url} if isinstance(source, Site) else source for source in sources),
    )


def test_download(serve, tmp_path):
    path = fetch(model(serve(Site())), tmp_path / "downloads")
    assert path == tmp_path / "downloads/tiny.pth"
    assert path.read_bytes() == DATA
    assert not list(path.parent.glob("*.part"))


def test_a_second_call_asks_nobody(serve, tmp_path):
    site = serve(Site())
    assert fetch(model(site), tmp_path) == fetch(model(site), tmp_path)
    assert len(site.asked) == 1


def test_a_broken_download_resumes(serve, tmp_path):
    site = serve(Site(break_after=131_072))
    assert fetch(model(site), tmp_path).read_bytes() == DATA
    assert site.asked == [None, "bytes=131072-", "bytes=262144-"]


def test_a_broken_download_resumes_in_the_next_run(serve, tmp_path):
    (tmp_path / f"{SHA256[:10]}.part").write_bytes(DATA[:1000])
    site = serve(Site())
    assert fetch(model(site), tmp_path).read_bytes() == DATA
    assert site.asked == ["bytes=1000-"]


def test_a_broken_download_resumes_at_the_next_mirror(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "ATTEMPTS", 1)
    mirror = serve(Site())
    assert fetch(model(serve(Site(break_after=65_536)), mirror), tmp_path).read_bytes() == DATA
    assert mirror.asked == ["bytes=65536-"]


@pytest.mark.parametrize(
    ("site", "part", "asked"),
    [
        pytest.param(Site(ranges=False), DATA[:1000], ["bytes=1000-"], id="server ignores Range"),
        pytest.param(Site(content_range="bytes 0-999/300000"), DATA[:1000], ["bytes=1000-", None], id="wrong range"),
        pytest.param(Site(), WRONG[:1000], ["bytes=1000-", None], id="part of another file"),
        pytest.param(Site(), WRONG, [None], id="complete part, wrong bytes"),
        pytest.param(Site(), DATA + b"x", [None], id="part too long"),
    ],
)
def test_starts_over(serve, tmp_path, site, part, asked):
    (tmp_path / f"{SHA256[:10]}.part").write_bytes(part)
    assert fetch(model(serve(site)), tmp_path).read_bytes() == DATA
    assert site.asked == asked


def test_416_starts_over(serve, tmp_path):
    (tmp_path / f"{SHA256[:10]}.part").write_bytes(DATA[:1000])
    shorter = serve(Site(content=DATA[:900]))
    assert fetch(model(shorter, serve(Site())), tmp_path).read_bytes() == DATA
    assert shorter.asked == ["bytes=1000-", None]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Site(content=WRONG), "has SHA-256"),
        (Site(content=DATA[:-1]), "has 299999 bytes, not 300000"),
        (Site(content=DATA + b"x"), "has 300001 bytes, not 300000"),
        (Site(content=b"<html>gone</html>"), "has 17 bytes, not 300000"),
        (Site(status=404), "404"),
        (Site(status=503), "503"),
        (Site(break_after=0), "broke|broken|IncompleteRead"),
    ],
    ids=["wrong bytes", "too short", "too long", "error page", "404", "503", "breaks off"],
)
def test_a_bad_mirror_is_passed_over(serve, tmp_path, caplog, bad, reason):
    assert fetch(model(serve(bad), serve(Site())), tmp_path).read_bytes() == DATA
    with pytest.raises(RestorationError, match=reason):
        fetch(model(bad), tmp_path / "alone")
    assert not list((tmp_path / "alone").glob("tiny*"))


def test_a_client_error_is_not_tried_again(serve, tmp_path):
    site = serve(Site(status=404))
    with pytest.raises(RestorationError):
        fetch(model(site), tmp_path)
    assert len(site.asked) == 1


def test_all_failures_and_the_remedy_are_listed(serve, dead, tmp_path):
    wrong = serve(Site(content=WRONG))
    absent = {"wheel": "no-such-package", "file": "x.bin"}
    with pytest.raises(RestorationError) as caught:
        fetch(model(dead, wrong, absent, {"file": "weights/mine.pth"}), tmp_path)
    message = str(caught.value)
    for line in (
        f"{dead.url}: ",
        f"{wrong.url}: has SHA-256 ",
        "no-such-package: is not installed; pip install no-such-package",
        "weights/mine.pth: no file weights/mine.pth",
        f"300000 bytes, SHA-256 {SHA256}",
        f"put it at {tmp_path / 'tiny.pth'};",
    ):
        assert line in message


def test_offline_with_the_file_put_in_place(dead, tmp_path):
    (tmp_path / "tiny.pth").write_bytes(DATA)
    assert fetch(model(dead), tmp_path) == tmp_path / "tiny.pth"


@pytest.mark.parametrize(
    ("content", "reason"), [(WRONG, "has SHA-256"), (DATA[:-1], "has 299999 bytes, not 300000")], ids=["wrong", "short"]
)
def test_a_wrong_file_put_in_place_is_never_used(dead, serve, tmp_path, content, reason):
    (tmp_path / "tiny.pth").write_bytes(content)
    with pytest.raises(RestorationError, match=rf"tiny\.pth: {reason}"):
        fetch(model(dead), tmp_path)
    assert fetch(model(dead, serve(Site())), tmp_path).read_bytes() == DATA


def test_a_file_of_ones_own_is_used_where_it_is(tmp_path):
    own = tmp_path / "own.pth"
    own.write_bytes(DATA)
    assert fetch(model({"file": str(own)}), tmp_path / "downloads") == own
    own.write_bytes(WRONG)
    with pytest.raises(RestorationError, match="has SHA-256"):
        fetch(model({"file": str(own)}), tmp_path / "downloads")


def test_two_at_once_do_not_write_the_same_part(serve, tmp_path):
    site = serve(Site(break_after=65_536))
    results = []
    threads = [threading.Thread(target=lambda: results.append(fetch(model(site), tmp_path))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() == DATA for path in results] == [True] * 3
    assert len(site.asked) == 5


MEMBER = "pretrained models/art/noise0.pth"
OTHER = random.Random(2).randbytes(50_000)


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as files:
        for name, content in members.items():
            files.writestr(name, content)
    return buffer.getvalue()


def packed(content: bytes | None = None, **options) -> Site:
    """A server of a zip archive with the wanted file and another one in it."""
    return Site(content or archive({MEMBER: DATA, "other.pth": OTHER}), name="models%201.zip?x=1", **options)


def inside(site: Site, member: str = MEMBER) -> dict[str, str]:
    return {"url": site.url, "file": member}


def test_a_file_inside_an_archive_is_fetched_once_for_all_in_it(serve, tmp_path):
    site = serve(packed())
    assert fetch(model(inside(site)), tmp_path).read_bytes() == DATA
    other = replace(model(inside(site, "other.pth")), id="other", bytes=None, sha256=hashlib.sha256(OTHER).hexdigest())
    assert fetch(other, tmp_path).read_bytes() == OTHER
    assert fetch(model(inside(site)), tmp_path) == tmp_path / "tiny.pth"
    assert len(site.asked) == 1
    left = {path.name for path in tmp_path.iterdir() if path.suffix != ".lock"}
    assert left == {"models 1.zip", "tiny.pth", "other.pth"}


def test_two_at_once_fetch_their_archive_once(serve, tmp_path):
    site = serve(packed())
    other = replace(model(inside(site, "other.pth")), id="other", bytes=None, sha256=hashlib.sha256(OTHER).hexdigest())
    threads = [threading.Thread(target=fetch, args=(wanted, tmp_path)) for wanted in (model(inside(site)), other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "tiny.pth").read_bytes() == DATA and (tmp_path / "other.pth").read_bytes() == OTHER
    assert len(site.asked) == 1


def test_an_archive_put_in_place_needs_no_network(dead, tmp_path):
    (tmp_path / "weights.pth").write_bytes(packed().content)  # the name that `dead` has
    assert fetch(model(inside(dead)), tmp_path).read_bytes() == DATA


def test_a_broken_archive_resumes_and_an_old_one_is_fetched_anew(serve, tmp_path):
    site = serve(packed(break_after=196_608))
    (tmp_path / "models 1.zip").write_bytes(archive({MEMBER: WRONG}))
    assert fetch(model(inside(site)), tmp_path).read_bytes() == DATA
    assert site.asked == [None, "bytes=196608-"]
    assert (tmp_path / "models 1.zip").read_bytes() == site.content


def test_a_network_is_found_in_the_release_of_old_photos(serve, tmp_path):
    wanted = load_registry(REGISTRY)["old-photos-scratch-finder"]
    release = archive(
        {
            "checkpoints/": b"",
            "checkpoints/restoration/VAE_A_quality/latest_net_G.pth": OTHER,
            "checkpoints/detection/FT_Epoch_latest.pt": DATA,
        }
    )
    source = {"url": serve(Site(release, name="global_checkpoints.zip")).url, "file": wanted.sources[0]["file"]}
    found = fetch(replace(wanted, sha256=SHA256, sources=(source,)), tmp_path)
    assert found.name == "old-photos-scratch-finder.pth" and found.read_bytes() == DATA


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive({"other.pth": OTHER}), f"holds no {MEMBER}"),
        (archive({MEMBER: WRONG}), f"{MEMBER} has SHA-256"),
        (archive({MEMBER: DATA[:-1]}), f"{MEMBER} has 299999 bytes, not 300000"),
        (b"<html>gone</html>", f"{MEMBER} cannot be read from it: File is not a zip file"),
        (archive({MEMBER: DATA})[:-5], f"{MEMBER} cannot be read from it"),
        (archive({MEMBER: DATA}, zipfile.ZIP_STORED).replace(DATA[:9], WRONG[:9]), f"{MEMBER} cannot .*: Bad CRC"),
    ],
    ids=["absent", "wrong", "short", "error page", "cut off", "damaged"],
)
def test_a_bad_archive_is_passed_over(serve, tmp_path, content, reason):
    bad = serve(packed(content))
    with pytest.raises(RestorationError, match=reason):
        fetch(model(inside(bad)), tmp_path / "alone")
    assert not [path for path in (tmp_path / "alone").iterdir() if path.suffix != ".lock"]
    assert fetch(model(inside(bad), serve(Site())), tmp_path).read_bytes() == DATA
