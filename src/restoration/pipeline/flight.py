"""Settings edited while a run is in flight: a job begins only if it is still what the configuration on disk asks for.

Cluster jobs read the configuration anew by nature; jobs of a local run would go on with what was read at its start,
and write results that nobody asks for any more. This makes both fail, loudly and alike.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restoration.errors import RestorationError

if TYPE_CHECKING:
    from restoration.pipeline.configuration import Configuration

VARIABLE = "RESTORATION_IN_FLIGHT"


def remember(files: Sequence[Path], overrides: Mapping[str, Any], configuration: Configuration) -> None:
    """Note, for the jobs of this process, which *files* and *overrides* made the *configuration*, and their state."""
    tables = [configuration.settings["manifest"], configuration.settings["models"]]
    state = {
        "files": [str(file) for file in files],
        "overrides": dict(overrides),
        "workflow": str(configuration.workflow),
        "digests": {str(file): _digest(Path(file)) for file in [*files, *tables]},
    }
    os.environ[VARIABLE] = json.dumps(state)


def require_unchanged(video: str, step: str, spec: str) -> None:
    """Raise RestorationError if the configuration, edited since `remember`, no longer gives *spec* for this job.

    Without an edit this costs the hashing of three small files; jobs that an edit does not concern go on.
    """
    if VARIABLE not in os.environ:
        return
    state = json.loads(os.environ[VARIABLE])
    if all(_digest(Path(file)) == digest for file, digest in state["digests"].items()):
        return
    # Every job imports this module, and hardly any comes here.
    from restoration.pipeline.configuration import Configuration
    from restoration.pipeline.validate import read_yaml

    config: dict[str, Any] = {}
    for file in state["files"]:
        _merge(config, read_yaml(Path(file)) or {})
    current = Configuration(_merge(config, state["overrides"]), Path(state["workflow"]))
    if video not in current.videos or step not in current.videos[video].steps or current.spec(video, step) != spec:
        raise RestorationError(
            f"the settings of {step} changed while the run was in flight. Run the same command again: "
            "what is finished and still wanted is kept."
        )


def _merge(config: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay *over* upon *config*, mapping by mapping, as Snakemake does."""
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            _merge(config[key], value)
        else:
            config[key] = value
    return config


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "missing"
