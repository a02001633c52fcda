"""Files that appear under their final name only when whole."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def atomic(target: Path) -> Iterator[Path]:
    """Give a unique temporary path beside *target*; move it there when the block ends well, remove it otherwise.

    The name is unique because an orphaned job of a killed run may write the same target at the same time. It keeps
    the target's suffix, from which writers infer the format.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{secrets.token_hex(6)}.part{target.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
