"""Which networks the stages use: among those that the registry knows, permitted, and here or yet to be fetched."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from restoration.models.registry import COMPANIONS, DOWNLOADS, Model, own_model
from restoration.pipeline.digest import code_digest, short_hash
from restoration.pipeline.validate import unknown

Settings = dict[str, Any]

AUTO = "auto"
COLORIZERS = ("deoldify-video", "embedded-colorizer")
"""What `colorize.model: auto` takes: the former where its weights are, else the latter."""
MODEL_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "retouch": {
        "model": ("retouch",),
        "encoder": ("autoencode",),
        "decoder": ("autoencode",),
        "detector": ("find_scratches",),
    },
    "clean": {"model": ("clean",)},
    "colorize": {"model": ("colorize",), "mix_with": ("colorize",)},
    "upscale": {"model": ("upscale",)},
    "faces": {
        "detector": ("detect",),
        "model": ("restore_faces", "upscale"),
        "parser": ("parse_faces",),
        "identity": ("identify_faces",),
    },
}
"""The options of each stage that name a model, and the tasks that it may be made for."""
NO_MODEL = "none"
DISPENSABLE = ("mix_with", "parser", "identity")
"""Options that may name no model."""
INDISPENSABLE = ("encoder", "decoder")
"""Options without which a network is none; `auto` leaves them to its entry in the registry."""


def named(settings: Settings) -> list[str]:
    """The models that the *settings* of a step name, in their order."""
    options = {name for options in MODEL_OPTIONS.values() for name in options}.union(COMPANIONS)
    return [value for option, value in settings.items() if option in options]


class Networks:
    """The *models* of the registry by id; *folder* is that of weights, *noncommercial* whether no use is commercial.

    *notices* are what the user should know of choices, by what they are about; *own* are the arguments of `own_model`
    for each file that a recipe names instead of a model, by the id that it got; *due* are colorizers that some
    video names.
    """

    def __init__(self, models: dict[str, Model], folder: str, *, noncommercial: bool) -> None:
        self.models, self.folder, self.noncommercial = models, folder, noncommercial
        self.notices: dict[str, str] = {}
        self.own: dict[str, Settings] = {}
        self.due: set[str] = set()

    def unfit(self, stages: Mapping[str, Settings | None], place: str) -> list[str]:
        """Mistakes in the choice of models: ids that the registry lacks, of another task, or not permitted."""
        if not self.models:
            return []  # said already
        uses = [
            (f"{stage}.{option}", tasks, settings[option])
            for stage, said in stages.items()
            for settings in [self.completed(said or {})]
            for option, tasks in MODEL_OPTIONS.get(stage, {}).items()
            if option in settings and (settings[option] != NO_MODEL or option not in DISPENSABLE)
        ]
        fit = {tasks: [id for id, model in self.models.items() if model.task in tasks] for _, tasks, _ in uses}
        auto = ("colorize.model", ("colorize",), AUTO)
        chosen = [(*use[:2], COLORIZERS[-1]) if use == auto else use for use in uses]
        mistakes = [
            unknown(f"{place}: {option}", f"model for {tasks[0]}", id, fit[tasks])
            if fit[tasks]
            else f"{place}: {option}: {id!r} is not in the registry, nor another for {tasks[0]}; its comments tell more"
            for option, tasks, id in chosen
            if id not in fit[tasks]
        ]
        mistakes += [
            f"{place}: {stage}.{option}: {settings['model']} names none in the registry; name one here"
            for stage, settings in stages.items()
            if settings and settings.get("model") in self.models
            for option in INDISPENSABLE
            if settings.get(option) == AUTO and option not in self.completed(settings)
        ]
        colorize = stages.get("colorize") or {}
        if colorize.get("mix_with", NO_MODEL) != NO_MODEL and colorize["mix_with"] == colorize.get("model"):
            mistakes.append(f"{place}: colorize.mix_with: {colorize['mix_with']} is mixed with itself")
        mistakes += [
            f"{place}: {option}: {id} is not for commercial use ({self.models[id].licence}); if yours is none, say so: "
            "noncommercial: true"
            for option, tasks, id in chosen
            if id in fit[tasks] and self.models[id].noncommercial and not self.noncommercial
        ]
        return mistakes + self.needless(stages.get("retouch") or {}, place)

    def needless(self, retouch: Settings, place: str) -> list[str]:
        """The same of what finds scratches for a network that, as the registry has it, fills none.

        What a file of one's own fills is seen when it is loaded.
        """
        if not self.models or retouch.get("detector", AUTO) == AUTO:
            return []
        model = self.models.get(retouch.get("model", ""))
        if model is None or model.task != "retouch" or model.detector or model.id in self.own:
            return []
        return [f"{place}: retouch.detector: {model.id} fills no scratches, says the registry; leave it out"]

    def adopt(self, stages: Mapping[str, Any], place: str) -> list[str]:
        """Enter the files that the settings of *stages* name as models, and name them there by their new ids.

        Gives the mistakes in them.
        """
        if not self.models:
            return []  # said already
        mistakes = []
        for stage, options in MODEL_OPTIONS.items():
            settings = stages.get(stage) or {}
            for option, tasks in options.items():
                if not isinstance(own := settings.get(option), dict):
                    continue
                if not Path(own["file"]).is_file():
                    mistakes.append(f"{place}: {stage}.{option}: {own['file']}: no such file")
                about = {"task": tasks[0], **own} | ({} if stage == "upscale" else {"scale": 1})
                model = own_model(**about)
                self.models[model.id], self.own[model.id] = model, about
                settings[option] = model.id
        return mistakes

    def companions(self, settings: Settings) -> Settings:
        """What the network of *settings* is used together with and they leave to it, as further settings."""
        model = self.models[settings["model"]]
        found = {
            name: getattr(model, name)
            for name in COMPANIONS
            if settings.get(name, AUTO) == AUTO and getattr(model, name) not in ("", model.id)
        }
        if settings.get("denoise_strength") == 1:
            found.pop("weak_denoise", None)
        return found

    def completed(self, settings: Settings) -> Settings:
        """*settings* with these companions, without those that there are none of, or not known, as the model is not."""
        found = self.companions(settings) if settings.get("model") in self.models else {}
        return {
            option: value for option, value in (settings | found).items() if value != AUTO or option not in COMPANIONS
        }

    def knows_denoising(self, model: str) -> bool:
        """Whether *model* has a sibling by which `denoise_strength` can be set."""
        return model in self.models and bool(self.models[model].weak_denoise)

    def knows_fidelity(self, model: str) -> bool:
        """Whether `faces.fidelity` means something to *model*, or may: what a file of one's own is shows later."""
        return model in self.own or (model in self.models and self.models[model].fidelity)

    def knows_scratches(self, model: str) -> bool:
        """The same for how scratches are found."""
        return model in self.own or (model in self.models and bool(self.models[model].detector))

    @cached_property
    def colorizer_at_hand(self) -> str:
        """DeOldify where its weights are, else the colorizer that comes with the code; said aloud, either way."""
        wanted, embedded = COLORIZERS
        # Another row may fetch it: then it is here before long, and later runs must not decide otherwise.
        there = wanted in self.models and (wanted in self.due or self._is_at_hand(wanted))
        self.notices["colorizer"] = (
            f"NOTICE: colorize.model: auto takes {wanted}, whose weights are here or named elsewhere"
            if there
            else f"NOTICE: colorize.model: auto takes {embedded}, because the weights of {wanted} are not here; it is "
            f"small and often wrong. For DeOldify set colorize.model: {wanted}, and they are fetched"
        )
        return wanted if there else embedded

    def announce(self, steps: Mapping[str, Settings]) -> None:
        """Note which networks *steps* use, which have yet to be fetched, and which do less than their place says."""
        other = "the recipe can name another network, see config/models.yaml"
        for step, settings in steps.items():
            for model in map(self.models.__getitem__, named(settings)):
                self.notices.setdefault(f"{step} {model.id}", f"NOTICE: {step} uses {model.id}; {other}")
                source = model.sources[0]
                if "url" in source and not self._is_at_hand(model.id):
                    # Of an archive more is fetched than the file in it.
                    size = f" ({model.bytes / 1e6:.1f} MB)" if model.bytes and "file" not in source else ""
                    self.notices[f"{step} {model.id}"] = (
                        f"NOTICE: {step} uses {model.id}, whose weights are not here and will be fetched{size}; {other}"
                    )
        if "faces" in steps and self.models[model_id := steps["faces"]["model"]].task == "upscale":
            self.notices["faces"] = (
                f"NOTICE: faces.model: {model_id} is a network for any picture: faces are sharpened, not restored. "
                "For networks that know faces, and invent, see docs/faces.md"
            )

    def weights(self, model: str) -> str:
        """File of the converted weights of *model*; the name tells source and conversion."""
        key = short_hash(self.models[model].sha256 + self.conversion)
        return f"{self.folder}/{model}.{key}.safetensors"

    def download(self, model: str) -> Path:
        """Where the unconverted file of *model* lies, or can be put by hand."""
        return Path(self.folder, DOWNLOADS) / self.models[model].filename

    def spec(self, settings: Settings) -> Settings:
        """What of the networks that *settings* name may change the bytes of a result."""
        models = named(settings)
        hashes = [self.models[model].sha256 for model in models]
        return {"weights": hashes, "conversion": self.conversion} if models else {}

    def told(self, model: str) -> Settings:
        """What a record says about *model*."""
        entry = self.models[model]
        return {"model": entry.id, "task": entry.task, "licence": entry.licence, "sha256": entry.sha256}

    @cached_property
    def conversion(self) -> str:
        """Digest of the code that converts weights."""
        return code_digest(Path(__file__).parents[1] / "models" / "convert.py")

    def _is_at_hand(self, model: str) -> bool:
        if Path(self.weights(model)).exists():
            return True
        download, size = self.download(model), self.models[model].bytes
        return download.exists() and size in (None, download.stat().st_size)
