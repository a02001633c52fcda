"""Files that appear under their final name only when whole."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from restoration.errors import RestorationError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
SCRATCH = "RESTORATION_SCRATCH"
"""Variable of the environment that names the folder in which jobs write first, if there is one."""

_scratch: list[Path] = []


def use_scratch() -> None:
    """From now on write first where the environment says: on a disk of this machine, rather than in small pieces to one
    that many share.

    Raises RestorationError if there is no such folder here.
    """
    said = os.environ.get(SCRATCH, "")
    folder = Path(os.path.expandvars(said))
    if said and not folder.is_dir():
        raise RestorationError(f"scratch: there is no folder {folder} here (asked for as {said!r})")
    _scratch[:] = [folder] if said else []


@contextmanager
def atomic(target: Path) -> Iterator[Path]:
    """Give a unique temporary path beside *target*, or in the scratch folder; move it there when the block ends well,
    remove it otherwise.

    The name is unique because an orphaned job of a killed run may write the same target at the same time. It keeps
    the target's suffix, from which writers infer the format.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    near = target.with_name(f".{secrets.token_hex(6)}.part{target.suffix}")
    temporary = _scratch[0] / near.name if _scratch else near
    try:
        yield temporary
        if temporary != near:
            shutil.copyfile(temporary, near)
        with near.open("rb") as handle:
            os.fsync(handle.fileno())
        near.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
        near.unlink(missing_ok=True)
