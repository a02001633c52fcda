"""Sources that lie elsewhere: what their addresses must be, and how they come here, whole or not at all."""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from copy import copy
from functools import partial
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import Any, Protocol
from urllib.parse import urlsplit

from restoration.errors import RestorationError
from restoration.files import DISK_FULL, atomic
from restoration.media.identity import identify

logger = logging.getLogger(__name__)

SCHEMES = ("http", "https", "s3")
PAUSES = (1, 4)
"""Seconds between one attempt and the next."""
SILENCE = 300
"""Seconds without a byte after which an attempt is given up."""
MISSING = "the server says that there is no such file"


class Remote(Protocol):
    """A file in some storage, as Snakemake's storage plugins give it."""

    def exists(self) -> bool:
        """Whether the storage says that it has the file."""

    def size(self) -> int:
        """Its length in bytes as announced; 0 where it is not."""

    def set_local_path(self, path: Path) -> None:
        """Where to put it."""

    def retrieve_object(self) -> None:
        """Put it there."""


def is_remote(source: str) -> bool:
    """Whether *source* is a URL rather than a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", source) is not None


def address(url: str) -> str:
    """*url* without what may be secret: its query can hold a signature."""
    return url.partition("?")[0]


def suffix(url: str) -> str:
    """What the name of the local copy ends in."""
    found = PurePosixPath(urlsplit(url).path).suffix
    # The receipt beside it is called .json.
    return found if re.fullmatch(r"\.\w{1,10}", found) and found.lower() != ".json" else ".media"


def mistakes(source: str) -> list[str]:
    """What is wrong with *source* as a URL; nothing, if it is a path."""
    if not is_remote(source):
        return []
    scheme = source.partition(":")[0].lower()
    if scheme not in SCHEMES:
        return [f"{scheme}:// cannot be fetched; allowed: http://, https://, s3:// or a path"]
    return _malformed(source)


def folder_mistakes(url: str) -> list[str]:
    """What is wrong with *url* as a folder to write to, whatever can write there; nothing, if it is a path."""
    if not is_remote(url):
        return []
    if url.lower().startswith(("http://", "https://")):
        return ["nothing can be written to http:// and https://; name a folder or s3://bucket/folder"]
    return _malformed(f"{url}/file")


def _malformed(source: str) -> list[str]:
    # What is printed is also logged: nothing here shows the URL, which may hold a password.
    scheme = source.partition(":")[0].lower()
    try:
        parts = urlsplit(source)
        parts.port  # noqa: B018 - raises for one that is none
    except ValueError:
        return ["is not a valid URL"]
    if "@" in parts.netloc:
        return [
            "holds a user name or password, which would be written to logs. Leave them out; they belong into ~/.netrc "
            "for http and https, into Snakemake's options or variables for s3 (see README.md)"
        ]
    if not parts.hostname:
        return [f"names no {'bucket' if scheme == 's3' else 'server'}"]
    if scheme == "s3" and ("?" in source or "#" in source):
        return ["names with ? or # cannot be used in s3; choose another"]
    if scheme == "s3" and (parts.path.endswith("/") or not parts.path):
        return ["names no file: s3://bucket/folder/file"]
    if "#" in source:
        return ["what follows # is not sent to the server; if it is part of the name, write %23"]
    return []


def retrieve(remote: Remote, url: str, receipt: Path, media: Path, promised: Mapping[str, Any]) -> None:
    """Bring the file at *url*, which is *remote*, to *media*, and write a *receipt*: address, path, bytes and SHA-256.

    It must have the `bytes` and the `sha256` that are *promised*, if any, and else the length that the storage
    announces. What goes wrong does not raise but is told in the receipt under `error`: the others must not wait for
    a dead link. A file that lies at *media* and has the promised SHA-256 is used as it is.
    """
    try:
        found = _kept(url, media, promised) or _fetched(remote, url, media, promised)
        note = {"url": address(url), "path": str(media), **found}
    except RestorationError as error:
        note = {"error": str(error)}
    with atomic(receipt) as temporary:
        temporary.write_text(json.dumps(note, indent=1))


def _kept(url: str, media: Path, promised: Mapping[str, Any]) -> dict[str, Any] | None:
    if "sha256" not in promised or not media.exists():
        return None
    try:
        return identify(media, promised, address(url))
    except RestorationError:
        return None


def _fetched(remote: Remote, url: str, media: Path, promised: Mapping[str, Any]) -> dict[str, Any]:
    for pause in (*PAUSES, None):
        try:
            with atomic(media) as part:
                # A copy, because an attempt that was given up may wake and write to where its own remote says.
                announced = _attended(partial(_transfer, copy(remote), url, part, promised), part)
                return _proved(url, part, announced, promised)
        except RestorationError:
            raise
        # Every plugin has errors of its own.
        except Exception as error:
            if getattr(error, "errno", None) in DISK_FULL:
                raise
            reason = _without_queries(error)
        if pause:
            logger.warning("%s: %s; trying again", address(url), reason)
            time.sleep(pause)
    raise RestorationError(f"{address(url)}: {reason}. Check address, server and access; the next run tries again")


def _transfer(remote: Remote, url: str, part: Path, promised: Mapping[str, Any]) -> int | None:
    """Bring the file to *part*; the length that was announced for it, or None if it was said not to exist."""
    remote.set_local_path(part)
    announced = remote.size() if remote.exists() else None
    # S3 takes the beginning of a name for a folder, and would bring all that is in it.
    if announced is not None and getattr(remote, "is_dir", bool)():
        raise RestorationError(f"{address(url)}: this is a folder; name a file in it")
    # Servers may answer only who asks for the file itself, as S3 does to signed URLs: a promise replaces their word.
    if announced is None and not promised:
        raise ConnectionError(f"{MISSING}, or tells nothing of it; then put its bytes or sha256 into the manifest")
    if announced == 0 and not promised:
        raise RestorationError(
            f"{address(url)}: is empty, or the server does not tell its length, so that nobody could see whether it "
            "came whole; put its bytes or, better, its sha256 into the manifest"
        )
    remote.retrieve_object()
    return announced


def _proved(url: str, part: Path, announced: int | None, promised: Mapping[str, Any]) -> dict[str, Any]:
    """Size and SHA-256 of *part*; RestorationError if it is not what is *promised*, ConnectionError if it is broken.

    Plugins take any answer for the file: error pages, and what came before the connection broke.
    """
    size = part.stat().st_size
    broken = MISSING if announced is None else f"{size} of {announced} bytes came"
    if not promised and size != announced:
        raise ConnectionError(broken)
    try:
        return identify(part, promised, address(url))
    except RestorationError as error:
        if announced in (0, size):
            raise
        raise ConnectionError(broken) from error


def _attended(task: Callable[[], int | None], part: Path) -> int | None:
    """What *task* gives; TimeoutError once *part* has not grown for SILENCE seconds.

    Plugins may wait for ever, and with them the plan and all other videos.
    """
    future = Future[int | None]()

    def work() -> None:
        try:
            future.set_result(task())
        except BaseException as error:
            future.set_exception(error)

    # A daemon, so that nobody waits for one that was given up.
    Thread(target=work, daemon=True).start()
    size = -1
    while not wait([future], SILENCE).done:
        # S3's plugin writes beside it first, under a longer name.
        grown = sum(file.stat().st_size for file in part.parent.glob(f"{part.name}*"))
        if grown == size:
            raise TimeoutError(f"nothing came for {SILENCE} seconds")
        size = grown
    return future.result()


def _without_queries(error: Exception) -> str:
    """The text of *error* in one line, with addresses as in `address`: redirects lead to signed ones, too."""
    return re.sub(r"\?\S*", "?…", " ".join(str(error).split())) or type(error).__name__
