"""Around every job's script: logging, threads, and errors that a user can read."""

import json
import logging
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from restoration import journal
from restoration.errors import RestorationError
from restoration.files import DISK_FULL, use_scratch
from restoration.pipeline.cost import spent
from restoration.pipeline.digest import code_digest
from restoration.pipeline.flight import require_unchanged

logger = logging.getLogger(__name__)

ERROR = "ERROR: "
"""How the line begins by which a job tells what went wrong."""
WARNING = "WARNING: "
"""And by which it tells what to look at in a result that is there."""


def put_on_path(scripts: Path) -> None:
    """Let jobs call *scripts* by name, with this package and the Python that runs here, whatever is activated."""
    package = Path(__file__).parents[2]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ["PATH"] = os.pathsep.join([str(scripts), str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def run(main: Callable[[], None]) -> None:
    """Run a script's *main*; what the user can mend becomes one line and exit code 1 instead of a stack trace."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        main()
    except RestorationError as error:
        complain(f"{error}")
    except MemoryError:
        complain("out of memory. Run fewer jobs at once (--cores), or use smaller tiles (tile).")
    except Exception as error:
        # PyAV has errors of its own for what the system says, with the system's numbers.
        if getattr(error, "errno", None) not in DISK_FULL:
            raise
        complain(f"the disk is full, or your share of it ({error}). Free space and run again.")
    else:
        logger.info("%s", spent())
        return
    sys.exit(1)


def complain(problem: str) -> None:
    """Tell the user of a *problem*, so that the summary finds it in the log."""
    logger.error("%s%s", ERROR, problem)


def warn(doubt: str) -> None:
    """Tell the user of a *doubt* about the result, so that the summary finds it in the log."""
    logger.warning("%s%s", WARNING, doubt)


def parser(description: str | None) -> ArgumentParser:
    """A parser with the arguments that all jobs share."""
    shared = ArgumentParser(description=description, allow_abbrev=False)
    shared.add_argument("--video", required=True, help="id of the video")
    shared.add_argument("--spec", required=True, help="settings of this step as JSON, with the digest of its code")
    shared.add_argument("output", type=Path)
    return shared


def network_parser(description: str | None) -> ArgumentParser:
    """A parser with the arguments that all jobs share which run a network over a chunk."""
    shared = parser(description)
    shared.add_argument("--weights", required=True, type=Path, nargs="+", help="converted safetensors files")
    shared.add_argument("--device", required=True, help="auto, cpu, cuda or mps")
    shared.add_argument("--engine", default="torch", help="auto, torch or openvino")
    shared.add_argument("--threads", required=True, type=int, help="processor cores")
    shared.add_argument("--batch", required=True, type=int, help="frames that the network sees at once")
    shared.add_argument("--input", required=True, type=Path, help="the chunk to restore")
    return shared


def film_parser(description: str | None) -> ArgumentParser:
    """A parser with the arguments that all jobs share which look at a chunk of film and what is around it."""
    shared = parser(description)
    shared.add_argument("--probe", required=True, type=Path, help="the description, which tells of black borders")
    shared.add_argument("--timeline", required=True, type=Path)
    shared.add_argument("--threads", required=True, type=int, help="processor cores")
    shared.add_argument("--inputs", required=True, nargs="+", type=Path, help="the chunk and its neighbours")
    return shared


def result_parser(description: str | None) -> ArgumentParser:
    """A parser with the arguments that all jobs share which look at a result beside its source."""
    shared = parser(description)
    shared.add_argument("--source", required=True, type=Path)
    shared.add_argument("--probe", required=True, type=Path, help="the source's description")
    shared.add_argument("--timeline", required=True, type=Path)
    shared.add_argument("--restored", required=True, type=Path)
    return shared


def parse(filled: ArgumentParser) -> Namespace:
    """Parse the command line, `spec` into a dict; log lines begin with what this job is from now on.

    Raises RestorationError when code or settings are no longer those that the job was planned with.
    """
    args = filled.parse_args()
    use_scratch()
    script = Path(sys.argv[0]).resolve()
    journal.begin(script.stem)
    formatter = logging.Formatter(f"{args.video} {script.stem} {args.output.stem}: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter)
    text, args.spec = args.spec, json.loads(args.spec)
    if args.spec["code"] != code_digest(script):
        raise RestorationError(
            f"the code of {script.stem} changed while the run was in flight. Run the same command again."
        )
    require_unchanged(args.video, script.stem, text)
    return args
