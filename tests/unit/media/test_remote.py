"""Fetching from storages that misbehave, as their plugins let it through."""

import errno
import hashlib
import json
import threading
from concurrent.futures import wait
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from restoration.media import remote as module
from restoration.media.remote import MISSING, address, is_remote, mistakes, retrieve, suffix

DATA = b"a film" * 1000
LENGTH, SHA256 = len(DATA), hashlib.sha256(DATA).hexdigest()
URL = "https://archive.example/reels/a.mp4?signature=SeCrEt"
SHOWN = "https://archive.example/reels/a.mp4"


@dataclass
class Storage:
    """What a plugin gives: each attempt takes the next of *answers* (the last again and again), bytes or an error."""

    answers: list[bytes | Exception] = field(default_factory=lambda: [DATA])
    announced: int | Exception = LENGTH
    there: bool = True
    folder: bool = False
    attempts: list[Path] = field(default_factory=list)
    path: Path = Path("nowhere")

    def exists(self):
        return self.there

    def size(self):
        if isinstance(self.announced, Exception):
            raise self.announced
        return self.announced

    def is_dir(self):
        return self.folder

    def set_local_path(self, path):
        self.path = path

    def retrieve_object(self):
        answer = self.answers[min(len(self.attempts), len(self.answers) - 1)]
        self.attempts.append(self.path)
        if isinstance(answer, Exception):
            self.path.write_bytes(DATA[:100])
            raise answer
        self.path.write_bytes(answer)


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that were waited, without waiting."""
    waited = []
    monkeypatch.setattr(module.time, "sleep", waited.append)
    return waited


@pytest.fixture
def fetch(tmp_path, pauses):
    """Call `fetch(storage, **promised)` for the receipt."""

    def fetch(storage, url=URL, **promised):
        retrieve(storage, url, fetch.receipt, fetch.media, promised)
        left = {path.name for path in fetch.media.parent.iterdir()}
        assert left <= {fetch.media.name, fetch.receipt.name}, "temporary files are left"
        return json.loads(fetch.receipt.read_text())

    fetch.media, fetch.receipt = tmp_path / "work" / "source.1.mp4", tmp_path / "work" / "source.1.json"
    return fetch


def test_a_file_comes_with_a_receipt(fetch, pauses):
    storage = Storage()
    assert fetch(storage) == {"url": SHOWN, "path": str(fetch.media), "bytes": LENGTH, "sha256": SHA256}
    assert fetch.media.read_bytes() == DATA
    assert len(storage.attempts) == 1 and not pauses


def test_a_file_has_its_name_only_when_whole(fetch):
    class Watched(Storage):
        def retrieve_object(self):
            super().retrieve_object()
            assert not fetch.media.exists() and self.path.parent == fetch.media.parent

    assert "error" not in fetch(Watched())


@pytest.mark.parametrize(
    "broken",
    [DATA[:-1], b"<html>500</html>", b"", OSError("reset by peer"), ValueError("any"), TimeoutError(), DATA + b"x"],
    ids=["cut", "error page", "empty", "system", "of the plugin", "no text", "longer"],
)
def test_a_broken_transfer_is_tried_again(fetch, pauses, broken):
    storage = Storage([broken, broken, DATA])
    assert fetch(storage)["sha256"] == SHA256
    assert len(storage.attempts) == 3
    assert pauses == sorted(pauses) and len(pauses) == 2

    said = fetch(Storage([broken]))["error"]
    assert said.startswith(f"{SHOWN}: ") and said.endswith("the next run tries again")
    assert fetch.media.read_bytes() == DATA, "the last good copy stays"


@pytest.mark.parametrize(
    ("storage", "says"),
    [
        (Storage([DATA[:-1]]), f"{LENGTH - 1} of {LENGTH} bytes came"),
        (Storage([OSError("two\n  lines")]), "two lines"),
        (Storage([TimeoutError()]), "TimeoutError"),
        (Storage(there=False), MISSING),
        (Storage(announced=OSError("no route")), "no route"),
    ],
)
def test_the_reason_is_told(fetch, storage, says):
    assert says in fetch(storage)["error"]
    assert not fetch.media.exists()


@pytest.mark.parametrize(
    ("storage", "says"),
    [
        (Storage(folder=True), "this is a folder"),
        (Storage(announced=0), "sha256 into the manifest"),
    ],
)
def test_what_will_not_change_is_not_tried_again(fetch, pauses, storage, says):
    assert says in fetch(storage)["error"]
    assert not storage.attempts and not pauses


@pytest.mark.parametrize(
    ("promised", "says"),
    [
        ({"sha256": "0" * 64}, f"sha256 is {SHA256}, the manifest says {'0' * 64}"),
        ({"bytes": 5}, f"bytes is {LENGTH}, the manifest says 5"),
        ({"bytes": LENGTH, "sha256": "0" * 64}, f"sha256 is {SHA256}, the manifest says {'0' * 64}"),
    ],
)
def test_another_file_than_promised_is_not_tried_again(fetch, promised, says):
    storage = Storage()
    assert fetch(storage, **promised)["error"].startswith(f"{SHOWN}: {says}")
    assert len(storage.attempts) == 1
    assert not fetch.media.exists()


@pytest.mark.parametrize("storage", [Storage(there=False), Storage(announced=0), Storage(announced=77)])
@pytest.mark.parametrize("promised", [{"sha256": SHA256}, {"bytes": LENGTH}])
def test_a_kept_promise_needs_no_word_of_the_server(fetch, storage, promised):
    assert fetch(storage, **promised)["bytes"] == LENGTH


def test_a_broken_promise_of_what_does_not_exist_is_no_reason_to_mend_the_manifest(fetch):
    assert MISSING in fetch(Storage([b"404"], there=False), sha256=SHA256)["error"]
    assert "3 of 6000 bytes came" in fetch(Storage([b"404"]), sha256=SHA256)["error"]


def test_a_copy_that_proves_itself_is_used(fetch):
    fetch(Storage())
    unasked = Storage()
    assert fetch(unasked, sha256=SHA256)["sha256"] == SHA256
    assert not unasked.attempts
    fetch.media.write_bytes(b"rot")
    assert fetch(unasked, sha256=SHA256)["sha256"] == SHA256
    assert fetch.media.read_bytes() == DATA


def test_a_copy_without_a_sha256_is_fetched_anew(fetch):
    fetch(Storage())
    new = Storage([DATA[::-1]])
    assert fetch(new, bytes=LENGTH)["sha256"] != SHA256
    assert fetch.media.read_bytes() == DATA[::-1]


def test_a_full_disk_is_no_fault_of_the_link(fetch):
    with pytest.raises(OSError, match="No space left"):
        fetch(Storage([OSError(errno.ENOSPC, "No space left on device")]))
    assert not fetch.receipt.exists()


def test_secrets_are_not_told(fetch, caplog):
    error = OSError(f"HTTPConnectionPool: url: /reels/a.mp4?signature=SeCrEt (Caused by {URL}&more=SeCrEt)")
    said = json.dumps(fetch(Storage([error])))
    assert "SeCrEt" not in said + caplog.text
    assert "trying again" in caplog.text and SHOWN in caplog.text
    assert "SeCrEt" not in json.dumps(fetch(Storage()))


def test_silence_is_given_up_and_writes_nothing_later(fetch, monkeypatch):
    monkeypatch.setattr(module, "SILENCE", 0.05)
    awake, late = threading.Event(), threading.Event()

    class Silent(Storage):
        def retrieve_object(self):
            if not self.attempts:
                self.attempts.append(self.path)
                awake.wait()
                self.path.write_bytes(b"late" * (LENGTH // 4))
                late.set()
            else:
                super().retrieve_object()
                awake.set()
                late.wait()

    storage = Silent()
    retrieve(storage, URL, fetch.receipt, fetch.media, {})
    assert fetch.media.read_bytes() == DATA
    assert storage.attempts[0] not in storage.attempts[1:]


@pytest.mark.parametrize("beside", ["", ".0A1b2C"], ids=["in place", "under a longer name, as S3 does"])
def test_what_grows_slowly_is_waited_for(fetch, monkeypatch, beside):
    turns, written = threading.Semaphore(0), threading.Semaphore(0)
    looks = iter(range(LENGTH // 1000))

    def look(futures, seconds):
        """A look at the clock: meanwhile a piece was written, or the rest was done."""
        if next(looks, None) is None:
            return wait(futures)
        turns.release()
        written.acquire()
        return wait(futures, 0)

    monkeypatch.setattr(module, "wait", look)

    class Slow(Storage):
        def retrieve_object(self):
            path = self.path.with_name(self.path.name + beside)
            self.attempts.append(path)
            for start in range(0, LENGTH, 1000):
                turns.acquire()
                with path.open("ab") as handle:
                    handle.write(DATA[start : start + 1000])
                written.release()
            path.replace(self.path)

    storage = Slow()
    assert fetch(storage)["sha256"] == SHA256
    assert len(storage.attempts) == 1


@pytest.mark.parametrize("source", ["http://h/a", "HTTPS://h/a", "s3://b/a", "ftp://h/a", "svn+ssh://h/a"])
def test_urls(source):
    assert is_remote(source)


@pytest.mark.parametrize("source", ["12:30.mp4", "a/b://c.mp4", "/a.mp4", "C:\\a.mp4", "http:a.mp4", "ü://a", "://a"])
def test_paths(source):
    assert not is_remote(source)
    assert mistakes(source) == []


@pytest.mark.parametrize(
    "source",
    [
        "http://h/a.mp4", "HTTP://h:8080/a%20b.mp4?x=1&y=a@b", "https://[::1]/a.mp4", "https://h/?id=5", "s3://b/a b@c",
        "https://h/@user/a.mp4",
    ],
)  # fmt: skip
def test_urls_that_can_be_fetched(source):
    assert mistakes(source) == []


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("ftp://h/a.mp4", "ftp:// cannot be fetched; allowed: http://, https://, s3:// or a path"),
        ("gs://b/a.mp4", "gs:// cannot be fetched"),
        ("http:///a.mp4", "names no server"),
        ("s3:///a.mp4", "names no bucket"),
        ("s3://b", "names no file"),
        ("s3://b/folder/", "names no file"),
        ("s3://b/what?.mp4", "? or #"),
        ("s3://b/reel#3.mp4", "? or #"),
        ("http://h/reel#3.mp4", "write %23"),
        ("http://h:99999/a", "is not a valid URL"),
        ("http://[::1/a", "is not a valid URL"),
        ("http://me:SeCrEt@h/a.mp4", "~/.netrc"),
        ("http://me:SeC/rEt@h/a.mp4", "is not a valid URL"),
        ("s3://me:SeCrEt@b/a.mp4", "Snakemake's options"),
        ("ftp://me:SeCrEt@h/a.mp4", "ftp:// cannot be fetched"),
    ],
)
def test_urls_that_cannot_be_fetched(source, says):
    (mistake,) = mistakes(source)
    assert says in mistake
    assert "SeC" not in mistake


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h/a.mp4?x=y.avi", ".mp4"),
        ("s3://b/a.b/c.MOV", ".MOV"),
        ("http://h/?file=a.mp4", ".media"),
        ("http://h.org", ".media"),
        ("http://h/a.b%20c", ".media"),
        ("http://h/a.json", ".media"),
        ("http://h/a.mp4/", ".mp4"),
    ],
)
def test_the_copys_suffix(url, expected):
    assert suffix(url) == expected


def test_the_address_holds_no_query():
    assert address(URL) == SHOWN
    assert address("s3://b/a.mp4") == "s3://b/a.mp4"
