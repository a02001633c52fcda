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

logger = logging.getLogger(__name__)

JOBS_PER_GPU = "RESTORATION_JOBS_PER_GPU"
"""Environment variable: how many processes share a GPU."""
PATIENCE_S = 1.0
"""Between two looks at what is free."""
_held: list[int] = []
"""Open files, whose locks last as long as this process."""


@cache
def leased_gpu() -> int:
    """Index of the GPU that is this process's from now on, among those that PyTorch sees."""
    import torch

    ids = [str(torch.cuda.get_device_properties(index).uuid) for index in range(torch.cuda.device_count())]
    return lease(ids, int(os.environ.get(JOBS_PER_GPU, 1)), Path(tempfile.gettempdir(), "restoration-gpus"))


def lease(gpus: Sequence[str], jobs_per_gpu: int, folder: Path) -> int:
    """Wait until one of *gpus* (ids, the same in all processes) has room for one of *jobs_per_gpu*; give its index.

    Those that are idle come first. *folder* holds a lock file for each place, and must be the same for all processes of
    this machine.
    """
    with suppress(FileExistsError, PermissionError):
        folder.mkdir(parents=True)
        folder.chmod(0o777)  # other users take part
    waiting = False
    while True:
        for place in range(jobs_per_gpu):
            for index, gpu in enumerate(gpus):
                if _locked(folder / f"{gpu}.{place}"):
                    return index
        if not waiting:
            logger.warning("Waiting for a GPU: all %d are at work (%d jobs each)", len(gpus), jobs_per_gpu)
            waiting = True
        time.sleep(PATIENCE_S)


def _locked(path: Path) -> bool:
    # Another user's file needs no right to write for a lock, and must not be created anew.
    file = os.open(path, os.O_RDONLY | (0 if path.exists() else os.O_CREAT), 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _held.append(file)
    return True
