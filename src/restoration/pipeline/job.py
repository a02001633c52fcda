"""Around every job's script: logging, threads, and errors that a user can read."""

import errno
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from restoration.errors import RestorationError
from restoration.pipeline.digest import code_digest

logger = logging.getLogger(__name__)


def put_on_path(scripts: Path) -> None:
    """Let jobs call *scripts* by name, with the Python that runs here, also when no environment is activated."""
    os.environ["PATH"] = os.pathsep.join([str(scripts), str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def run(main: Callable[[], None]) -> None:
    """Run a script's *main*; what the user can mend becomes one line and exit code 1 instead of a stack trace."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        main()
    except RestorationError as error:
        logger.error("ERROR: %s", error)
    except MemoryError:
        logger.error("ERROR: out of memory. Run fewer jobs at once (--cores), or use smaller tiles (tile).")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        logger.error("ERROR: the disk is full (%s). Free space and run again.", error.filename or "while writing")
    else:
        return
    sys.exit(1)


def label(output: Path) -> None:
    """Begin every line of the log with what this job makes: video, stage and chunk, as its *output* is called."""
    name = "/".join((*output.parts[-3:-1], output.stem))
    formatter = logging.Formatter(f"{name}: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter)


def read_spec(text: str) -> dict[str, Any]:
    """The settings of this job; RestorationError when the code is not the one any more that the job was planned for."""
    spec: dict[str, Any] = json.loads(text)
    if spec["code"] != code_digest(Path(sys.argv[0]).resolve()):
        raise RestorationError(
            "the code of this stage was changed while the run was in flight; run the same command again"
        )
    return spec
