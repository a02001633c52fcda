"""A GPU for each process: leases that the kernel ends with the process, however that ends."""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from restoration.errors import RestorationError

logger = logging.getLogger(__name__)

JOBS_PER_GPU = "RESTORATION_JOBS_PER_GPU"
"""Environment variable: how many processes share a GPU."""
MEMORY = Path("/dev/shm")
FOLDER = (MEMORY if MEMORY.exists() else Path(tempfile.gettempdir())) / "restoration-gpus"
"""The same for all processes of a machine, whatever their TMPDIR; nothing tidies up there."""
PATIENCE_S = 1.0
"""Between two looks at what is free."""
_held: list[int] = []
"""Open files, whose locks last as long as this process."""


@cache
def leased_gpu() -> int:
    """Index of the GPU that is this process's from now on, among those that PyTorch sees."""
    import torch

    ids = [str(torch.cuda.get_device_properties(index).uuid) for index in range(torch.cuda.device_count())]
    return lease(ids, int(os.environ.get(JOBS_PER_GPU, 1)), FOLDER)


def lease(gpus: Sequence[str], jobs_per_gpu: int, folder: Path) -> int:
    """Wait until one of *gpus* (ids, the same in all processes) has room for one of *jobs_per_gpu*; give its index.

    Those that are idle come first. *folder* holds a lock file for each place, and must be the same for all processes of
    this machine; RestorationError where it cannot be used.
    """
    waiting = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(PermissionError):
            folder.chmod(0o777)  # other users take part
        while True:
            for place in range(jobs_per_gpu):
                for index, gpu in enumerate(gpus):
                    if _locked(folder / f"{gpu}.{place}"):
                        return index
            if not waiting:
                logger.warning("Waiting for a GPU: all %d are at work (by %s)", len(gpus), folder)
                waiting = True
            time.sleep(PATIENCE_S)
    except OSError as error:
        raise RestorationError(
            f"{folder}: GPUs cannot be leased there ({error}). Let its owner delete it while nothing runs"
        ) from error


def _locked(path: Path) -> bool:
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    with suppress(PermissionError):
        os.fchmod(file, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Deleted meanwhile, it would be a lock that no other process meets.
        if os.fstat(file).st_ino == path.stat().st_ino:
            _held.append(file)
            return True
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(file)
    return False
