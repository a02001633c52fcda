"""The model registry, `config/models.yaml`. Imported while Snakemake parses, so it must stay light."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import yaml

from restoration.errors import RestorationError

COMPANIONS = ("weak_denoise", "further_passes", "encoder", "decoder", "detector")
"""Fields that name another model, which is used together with this one."""
DOWNLOADS = "downloads"
"""Folder of unconverted files, beside the converted weights."""


@dataclass(frozen=True)
class Model:
    """One entry of the registry; its fields are described in `workflow/schemas/models.schema.yaml`."""

    id: str
    task: str
    scale: int | None
    licence: str
    format: str
    sha256: str
    sources: tuple[Mapping[str, str], ...]
    bytes: int | None = None
    noncommercial: bool = False
    architecture: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    weak_denoise: str = ""
    further_passes: str = ""
    encoder: str = ""
    decoder: str = ""
    detector: str = ""
    fidelity: bool = False

    @property
    def filename(self) -> str:
        """Name of the unconverted file in the folder of downloads."""
        return f"{self.id}.{self.format}"

    def entry(self) -> dict[str, Any]:
        """The entry as the registry has it, without what is as by default; of a file put in place only the name."""
        usual = {about.name: about.default for about in fields(self)}
        told = {name: value for name, value in asdict(self).items() if value and value != usual[name]}
        sources = [
            dict(source) if source.keys() & {"url", "wheel"} else {"file": Path(source["file"]).name}
            for source in self.sources
        ]
        return {name: value for name, value in told.items() if name != "id"} | {"sources": sources}


class Registry(dict[str, Model]):
    """Models by id. Looking up an unknown id raises a RestorationError that names the nearest known ones."""

    def __init__(self, path: Path, models: Mapping[str, Model]) -> None:
        super().__init__(models)
        self.path = path

    def __missing__(self, model_id: str) -> NoReturn:
        near = get_close_matches(model_id, self, cutoff=0.4) or sorted(self)
        raise RestorationError(
            f"model {model_id!r} is not in {self.path}; did you mean {' or '.join(near)}? A model of your own needs "
            "an entry there, see the comment at its top"
        )


def load_registry(path: Path) -> dict[str, Model]:
    """Read a registry that satisfies `workflow/schemas/models.schema.yaml` (validated by the caller).

    Raises RestorationError where an entry names a companion that is not there.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, entry in entries.items():
        for field_name in COMPANIONS:
            if (companion := entry.get(field_name, name)) not in entries:
                raise RestorationError(f"{path}: {name}.{field_name}: there is no model {companion!r}")
    return Registry(
        path, {name: Model(id=name, **entry | {"sources": tuple(entry["sources"])}) for name, entry in entries.items()}
    )


def own_model(task: str, file: str, sha256: str, scale: int | None = None) -> Model:
    """The entry of a file that the user names in a recipe instead of a registered model."""
    path = Path(file)
    name = re.sub(r"[^\w.+-]", "_", path.stem)
    return Model(
        id=f"{name}-{task}-{sha256[:8]}",
        task=task,
        scale=scale,
        licence="unknown",
        format=path.suffix.removeprefix("."),
        sha256=sha256,
        sources=({"file": file},),
    )
