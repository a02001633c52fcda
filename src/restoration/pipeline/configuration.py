"""The whole configuration, checked: what every video goes through, and the keys that name the results on disk."""

import importlib.util
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from restoration.errors import RestorationError
from restoration.media import remote
from restoration.media.codecs import EncodeSettings, misfits
from restoration.media.identity import sha256
from restoration.media.kind import is_still
from restoration.media.sample import ALL, seconds
from restoration.models.registry import COMPANIONS, Model, load_registry
from restoration.pipeline.digest import canonical, code_digest, short_hash
from restoration.pipeline.explore import DETECTOR, GRID, OF_WHOLE_VIDEOS, PLACE, Cell, cells
from restoration.pipeline.face_list import read_face_list, regions
from restoration.pipeline.hints import Hints, read_hints
from restoration.pipeline.manifest import ALWAYS, Row, Settings, read_manifest
from restoration.pipeline.networks import AUTO, MODEL_OPTIONS, NO_MODEL, Networks, named
from restoration.pipeline.steps import (
    ENLARGING_STEPS,
    FACES_FILE,
    FINDING_STEPS,
    HINTS_FILE,
    RECORDED,
    RESTORING_STAGES,
    SMALL_STEPS,
    STAGES,
    STEPS,
)
from restoration.pipeline.validate import as_text, problems, read_yaml, typed, unknown, whole

DRAFT = "int8"
"""The precision for which a network is fitted to each video."""
FINGERPRINT_BYTES = 65536
TEMPLATES = Path(__file__).parents[1] / "review" / "templates"


@dataclass(frozen=True)
class Video:
    """A video with the full settings of every step that it passes, in order.

    *source* is a path or a URL, *promised* what it must have of `bytes` and `sha256`, as far as that is known; *hints*
    tell of its colours. *fused*: the job that restores its faces upscales its frames, too.
    """

    source: str
    promised: Settings
    steps: dict[str, Settings]
    hints: Hints
    fused: bool = False

    def before(self, step: str) -> str:
        """The step whose frames *step* takes in."""
        if step in SMALL_STEPS or (step == "faces" and self.fused):
            step = "upscale" if "upscale" in self.steps else "faces"
        names = [name for name in self.steps if name == step or name not in FINDING_STEPS]
        return names[names.index(step) - 1]

    def models(self, step: str) -> list[str]:
        """The models that *step* uses."""
        return named(self.steps[step])


class Configuration:
    """Everything the user wrote, valid and complete; raises RestorationError with all mistakes otherwise.

    *config* is the merged configuration, *workflow* the folder that holds schemas/ and scripts/. Paths in it are
    relative to the current folder.
    """

    def __init__(self, config: dict[str, Any], workflow: Path) -> None:
        self.workflow = workflow
        schema, row_schema, registry_schema, self._hints_schema = (
            read_yaml(workflow / "schemas" / f"{name}.schema.yaml")
            for name in ("config", "manifest", "models", "hints")
        )
        self._stages: dict[str, Any] = {stage: schema["$defs"][stage] for stage in STAGES}
        config = self._typed(whole(config), schema["properties"])
        defaults = {key: about["default"] for key, about in schema["properties"].items() if "default" in about}
        self.signing = {key: about["default"] for key, about in schema["properties"]["sign"]["properties"].items()}
        self.settings: Settings = defaults | config
        self._limits = schema["properties"]["limits"]["properties"]
        mistakes = problems(config, schema, "config")
        mistakes += [f"config: results: {what}" for what in remote.folder_mistakes(str(self.settings["results"]))]
        self._recipes = recipes = self._sound_recipes(schema)
        rows: list[Row] = []
        models: dict[str, Model] = {}
        # What can still be checked is checked: the user mends everything in one go.
        with collected(mistakes):
            registry = Path(str(self.settings["models"]))
            wrong = problems(read_yaml(registry), registry_schema, str(registry))
            models = models if wrong else load_registry(registry)
            mistakes += wrong
        self.networks = Networks(
            models, str(self.settings["weights"]), noncommercial=bool(self.settings["noncommercial"])
        )
        if "manifest" in config:
            with collected(mistakes):
                rows, wrong = read_manifest(Path(str(config["manifest"])), row_schema, self._stages)
                mistakes += wrong
        listed = list(rows)
        self.cells: dict[str, list[Cell]] = {}
        """Of each video that `explore` is about, what it is restored to: videos, too, of which none is due."""
        if not any(mistake.startswith(PLACE) for mistake in mistakes):
            moving = [row.video for row in listed if not _restores_a_still(row)]
            self.cells, wrong = cells(listed, moving, defaults["explore"] | self.settings["explore"], self._stages)
            mistakes += wrong
            rows += [cell.row for made in self.cells.values() for cell in made]
        self._parents = {cell.row.video: video for video, made in self.cells.items() for cell in made}
        mistakes += self._mistaken_rows(rows, recipes)
        for name, recipe in recipes.items():
            mistakes += self.networks.adopt(recipe, f"config: recipes.{name}")
            mistakes += self.networks.unfit(
                {s: self._full(s, recipe.get(s)) for s in recipe if s in STAGES}, f"config: recipes.{name}"
            )
            mistakes += self._misfits(f"config: recipes.{name}", recipe)
        for row in rows:
            mistakes += self._unfit_for_stills(row) if _restores_a_still(row) else []
            mistakes += self._unfit_for_samples(row) if self._samples(row) and row.place != GRID else []
            mistakes += self.networks.unfit(row.overrides, row.place)
            if row.overrides.get("retouch"):
                mistakes += self.networks.needless(self._said("retouch", row), row.place)
            if row.overrides.get("encode") and row.recipe in recipes:
                mistakes += self._misfits(row.place, {"encode": self._encode(recipes[row.recipe], row)})
            mistakes += self._labelled_nothing(row) if row.place != GRID else []
            # In a grid some networks know an option, and others do not.
            mistakes += self._idle(row) if row.place != GRID else []
            mistakes += self._impossible_draft(row)
        hints = {row.video: self._hints(row, mistakes) for row in rows}
        for row in rows:
            with collected(mistakes, f"{row.place}: faces.only: "):
                read_face_list(self._said("faces", row).get("only", ""))
        mistakes += self._unsignable()
        if self.settings["engine"] == "openvino" and not importlib.util.find_spec("openvino"):
            mistakes.append("config: engine: OpenVINO is not installed: pip install openvino, or use engine: auto")
        if self.settings["engine"] == "openvino" and self.settings["device"] in ("cuda", "mps"):
            mistakes.append("config: engine: openvino runs on the CPU; set device: cpu, or engine: auto")
        part = slice(None)
        if not mistakes:
            with collected(mistakes):
                part = share(str(self.settings["part"]), len(listed))
        if mistakes:
            raise _rejected(list(dict.fromkeys(mistakes)))
        self._rows = {row.video: row for row in rows}
        self.due = [row.video for row in listed[part]]
        """Names of the videos that this run is about."""
        self.networks.due = {model for row in rows for model in named(self._said("colorize", row))}
        self.videos = {row.video: self._video(row, hints[row.video]) for row in rows}
        self._specs: dict[str, dict[str, str]] = {}
        self._told: set[str] = set()

    @property
    def explored(self) -> list[str]:
        """Names of the videos that are the cells of `explore`."""
        return list(self._parents)

    def notices(self, videos: Iterable[str]) -> list[str]:
        """What the user should know about the choice of networks for *videos*, and was not told before."""
        for video in videos:
            steps = self.videos[video].steps
            self.networks.announce({step: settings for step, settings in steps.items() if step != "sheet"})
        told, self._told = self._told, set(self.networks.notices.values())
        return [notice for notice in self.networks.notices.values() if notice not in told]

    def _typed(self, config: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """*config* with the types that its options have, where text or numbers were written for another."""
        typed_config = {
            key: typed(value, options[key]) if isinstance(value, str) and key in options else value
            for key, value in config.items()
        }
        if not isinstance(recipes := typed_config.get("recipes"), dict):
            return typed_config
        for recipe in filter(lambda recipe: isinstance(recipe, dict), recipes.values()):
            for stage, about in self._stages.items():
                if isinstance(recipe.get(stage), dict):
                    recipe[stage] = as_text(recipe[stage], about["properties"])
            if isinstance(copies := recipe.get("copies"), dict):
                for name, copy in copies.items():
                    if isinstance(copy, dict):
                        copies[name] = as_text(copy, self._stages["encode"]["properties"])
        return typed_config

    def _mistaken_rows(self, rows: list[Row], recipes: dict[str, Any]) -> Iterator[str]:
        """Recipes that are not there, and overrides of stages that a recipe lacks."""
        known = self.settings.get("recipes")
        if not known or not isinstance(known, dict):
            return
        for row in rows:
            if row.recipe not in known:
                yield unknown(f"{row.place}: recipe", "recipe", row.recipe, known)
            elif row.recipe in recipes:
                yield from (
                    f"{row.place}: {stage}: recipe {row.recipe!r} has no stage {stage}; add it there"
                    for stage, override in row.overrides.items()
                    if override and stage not in recipes[row.recipe] and stage not in ALWAYS
                )

    def _misfits(self, place: str, recipe: dict[str, Any]) -> Iterator[str]:
        """Settings of the deliveries of *recipe* that cannot go together."""
        for name, settings in {"encode": recipe.get("encode"), **_copies(recipe)}.items():
            yield from (
                f"{place}: {name}.{what}" for what in misfits(EncodeSettings.of(self._full("encode", settings)))
            )

    def _encode(self, recipe: dict[str, Any], row: Row) -> Settings:
        return (recipe.get("encode") or {}) | (row.overrides.get("encode") or {})

    def _sound_recipes(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The recipes in which there is no mistake."""
        recipes = self.settings.get("recipes")
        one = {"$defs": schema["$defs"], "$ref": "#/$defs/recipe"}
        return {name: r for name, r in recipes.items() if not problems(r, one, "")} if isinstance(recipes, dict) else {}

    def _full(self, stage: str, *chosen: Settings | None) -> Settings:
        """All settings of *stage*: its defaults, under what was chosen, the last word last."""
        settings = {option: about["default"] for option, about in self._stages[stage]["properties"].items()}
        for layer in chosen:
            settings |= layer or {}
        return settings

    def _hints(self, row: Row, mistakes: list[str]) -> Hints:
        """What *row* says about colours; what is wrong with it goes to *mistakes*."""
        if not (said := self._said("colorize", row)):
            return Hints()
        palettes = self.settings["palettes"] if isinstance(self.settings["palettes"], dict) else {}
        palettes = {name: images for name, images in palettes.items() if isinstance(images, list)}
        hints, wrong = read_hints(said["hints"], said["palette"], palettes, self._hints_schema, row.place)
        mistakes += wrong
        return hints

    def _said(self, stage: str, row: Row) -> Settings:
        """All settings of *stage* for *row*; nothing where it is left out."""
        recipe, override = self._recipes.get(row.recipe, {}), row.overrides.get(stage, {})
        if stage not in recipe or override is None:
            return {}
        unfit = {column.partition(".")[2]: "" for column in OF_WHOLE_VIDEOS if column.startswith(f"{stage}.")}
        return self._full(stage, recipe[stage], override) | (unfit if self._samples(row) else {})

    def _idle(self, row: Row) -> Iterator[str]:
        """Options that the network of a row does not know, or that lack the network that would."""
        if not self.networks.models:
            return  # said already
        for stage, option, known_to, example in (
            ("upscale", "denoise_strength", self.networks.knows_denoising, "realesr-general-x4v3"),
            ("faces", "fidelity", self.networks.knows_fidelity, "CodeFormer"),
            ("retouch", "min_score", self.networks.knows_scratches, "old-photos-scratches"),
            ("retouch", "detect_at", self.networks.knows_scratches, "old-photos-scratches"),
        ):
            said, usual = self._said(stage, row), self._full(stage)
            if not said or said[option] == usual[option]:
                continue
            if not known_to(said["model"]):
                yield f"{row.place}: {stage}.{option}: {said['model']} does not know it; {example} does"
            elif stage == "retouch" and "detector" not in self.networks.completed(said):
                yield f"{row.place}: retouch.{option}: nothing finds scratches; name a retouch.detector"
        if (said := self._said("repair", row)) and said["halo"] and not said["blur"]:
            yield f"{row.place}: repair.halo: needs to know how soft the picture is, too: set repair.blur"

    def _samples(self, row: Row) -> bool:
        """Whether single frames of *row* are restored."""
        recipe = self._recipes.get(row.recipe, {})
        return ((recipe.get("ingest") or {}) | (row.overrides.get("ingest") or {})).get("sample", ALL) != ALL

    def _unfit_for_stills(self, row: Row) -> Iterator[str]:
        """What *row* must not ask of a still image."""
        if row.start is not None or row.end is not None:
            yield f"{row.place}: start, end: a still image has no times; leave both empty"
        if row.video.casefold() == "comparison":
            yield f"{row.place}: video: a still image cannot be named {row.video!r}: its comparison is"
        if self._samples(row):
            yield f"{row.place}: ingest.sample: a still image has one frame only: {row.source}"

    def _unfit_for_samples(self, row: Row) -> Iterator[str]:
        """What a *row* must not ask of which single frames are restored."""
        if remote.is_remote(str(self.settings["results"])):
            yield f"{row.place}: ingest.sample: images of single frames need a folder as results, and no storage"
        recipe = self._recipes.get(row.recipe, {})
        asked = OF_WHOLE_VIDEOS | {"encode.label", "encode.face_label", "encode.grain"}
        for stage, option in (column.split(".") for column in sorted(asked)):
            if ((recipe.get(stage) or {}) | (row.overrides.get(stage) or {})).get(option):
                yield f"{row.place}: {stage}.{option}: is for videos, and not for single frames (ingest.sample)"
        if recipe.get("copies"):
            yield f"{row.place}: copies: of single frames (ingest.sample) there are none"

    def _labelled_nothing(self, row: Row) -> Iterator[str]:
        """Deliveries of *row* whose label for faces has none to stand at."""
        if self._said("faces", row):
            return
        recipe = self._recipes.get(row.recipe, {})
        for name, settings in {"encode": self._encode(recipe, row), **_copies(recipe)}.items():
            if (settings or {}).get("face_label"):
                yield f"{row.place}: {name}.face_label: no faces are restored; leave it empty"

    def _impossible_draft(self, row: Row) -> Iterator[str]:
        """What stands against upscaling a row in int8."""
        said, about = self._said("upscale", row), f"{row.place}: upscale.precision: {DRAFT}"
        if not said or said["precision"] != DRAFT:
            return
        if self.settings["device"] != "cpu" or self.settings["engine"] == "torch":
            yield f"{about} needs OpenVINO on the CPU: set device: cpu and engine: auto"
        if missing := [name for name in ("openvino", "nncf") if not importlib.util.find_spec(name)]:
            yield f"{about} needs what is not installed: pip install {' '.join(missing)}"
        if _restores_a_still(row):
            yield f"{about} is for videos; use fp32"
        if said["model"] in self.networks.models and self.networks.companions(said):
            yield f"{about} does not go with {said['model']}, which is used together with others; use fp32 or bf16"

    def _video(self, row: Row, hints: Hints) -> Video:
        recipe = self.settings["recipes"][row.recipe]
        settings: dict[str, Settings] = {}
        for stage in STAGES:
            override = row.overrides.get(stage, {})
            if stage in ALWAYS or (stage in recipe and override is not None):
                settings[stage] = self._full(stage, recipe.get(stage), override)
        ingest, encode = settings.pop("ingest"), settings.pop("encode")
        sampled = ingest["sample"] != ALL
        alone = sampled or _restores_a_still(row)
        review = {"stills": [float(seconds(time)) for time in settings.pop("review")["stills"].split()]}
        steps: dict[str, Settings] = {"probe": ingest | {"start": row.start, "end": row.end}, "frames": {}}
        if "repair" in settings:
            steps |= _repair_steps(settings.pop("repair"), alone=alone)
        if "retouch" in settings:
            steps["retouch"] = self.networks.completed(settings.pop("retouch"))
            if "detector" not in steps["retouch"]:
                del steps["retouch"]["min_score"], steps["retouch"]["detect_at"]
        if "clean" in settings:
            steps["clean"] = settings.pop("clean")
        if "colorize" in settings:
            colorize = settings.pop("colorize")
            stability = colorize.pop("stability")
            del colorize["hints"], colorize["palette"]
            if colorize["model"] == AUTO:
                colorize["model"] = self.networks.colorizer_at_hand
            if colorize["mix_with"] == NO_MODEL:
                del colorize["mix_with"], colorize["mix_weight"]
            steps["colorize"] = colorize
            force = {"force": colorize["force"]}
            if hints:
                steps |= {"hints": hints.settings() | force, "steer": {}}
            # A single frame has no neighbours.
            if stability and not alone:
                steps["stabilize"] = {"stability": stability} | force
        if "upscale" in settings:
            stability = settings["upscale"].pop("stability")
            if settings["upscale"]["precision"] == DRAFT:
                # Another plan gives it other chunks to be fitted to.
                chunk_frames = self.settings["chunk_frames"]
                steps["quantize"] = {"model": settings["upscale"]["model"], "chunk_frames": chunk_frames}
            steps["upscale"] = self.networks.completed(settings.pop("upscale"))
            if stability and not alone:
                steps["settle"] = {"stability": stability}
        if "faces" in settings:
            settings |= _face_steps(settings.pop("faces") | ({"only": ""} if sampled else {}))
        steps |= settings
        copies = {name: self._full("encode", copy) for name, copy in _copies(recipe).items()}
        image = {"image": encode["image"]} | ({"quality": encode["quality"]} if encode["image"] == "jpg" else {})
        touched = any(named(about) for step, about in steps.items() if step in RESTORING_STAGES)
        for delivery in (encode, *copies.values()):
            del delivery["image"], delivery["quality"]
            delivery["mark"] = delivery["mark"] and touched
            delivery |= {"trimmed": not (row.start is row.end is None), "strict": ingest["strict"]}
        if _restores_a_still(row):
            told = {"container": image.pop("image"), "mark": encode["mark"], "label": encode["label"]}
            told |= {option: encode[option] for option in ("face_label", "grain")}
            encode, copies = told | image, {}
        if sampled:
            steps["images"] = image | {"mark": encode["mark"]}
        else:
            steps |= self._signed({"encode": encode, **copies}) | {"comparison": review}
        if "faces" in steps:
            steps["record"] = {"trimmed": encode.get("trimmed", False) and not sampled}
        # Of a frame alone, repair changes all pixels alike.
        told = {
            step: steps[step] for step in ("repair", "retouch") if step in steps and not (alone and step == "repair")
        }
        if told:
            steps["repairs"] = {"trimmed": encode.get("trimmed", False) and not sampled, "settings": told}
        steps["provenance"] = {}
        if not sampled:
            force = {"force": steps["colorize"]["force"]} if "colorize" in steps else {}
            limits = {"limits": self._all_limits()}
            steps |= {"measure": encode | force, "judge": limits, "page": review | limits}
            steps["stages"] = review
        if not alone:
            steps["clip"] = {"trimmed": encode["trimmed"]}
        if row.video in self.cells:
            steps["sheet"] = DETECTOR | {"cells": [[*cell.values.items()] for cell in self.cells[row.video]]}
        fused = bool(self.settings["fuse"]) and {"upscale", "faces"} <= steps.keys() and "settle" not in steps
        return Video(row.source, row.promised, steps, hints, fused)

    def _unsignable(self) -> Iterator[str]:
        """What stands against signing."""
        if not isinstance(said := self.settings["sign"], dict):
            return  # said already
        self.signing |= said
        if not self.signing["certificate"]:
            return
        for what in ("certificate", "key"):
            if not Path(str(self.signing[what])).is_file():
                yield f"config: sign.{what}: {self.signing[what]!r}: no such file"
        yield from (
            f"config: sign.timestamp_url: {what}" for what in remote.mistakes(str(self.signing["timestamp_url"]))
        )
        if not importlib.util.find_spec("c2pa"):
            yield "config: sign: c2pa is not installed: pip install c2pa-python"

    def _signed(self, deliveries: dict[str, Settings]) -> dict[str, Settings]:
        """The steps of these *deliveries*: files are signed as they are made, apart from Matroska, which holds no
        signature. The key is none of their settings: another one for the same certificate signs alike."""
        if not self.signing["certificate"]:
            return deliveries
        steps: dict[str, Settings] = {}
        for name, delivery in deliveries.items():
            apart = delivery["container"] == "mkv"
            steps[name] = delivery if apart else delivery | {"sign": self._signature}
            if apart:
                steps[name.replace("encode", "sign")] = {"sign": self._signature}
        return steps

    @cached_property
    def _signature(self) -> Settings:
        """What of signatures is in specs; the certificate is hashed once for all videos."""
        told = {key: self.signing[key] for key in ("alg", "timestamp_url")}
        return {"certificate": sha256(Path(self.signing["certificate"]))} | told

    def _all_limits(self) -> Settings:
        """Every measure with its limits: those of the user, over the defaults."""
        said = self.settings["limits"]
        return {measure: about["default"] | said.get(measure, {}) for measure, about in self._limits.items()}

    def spec(self, video: str, step: str) -> str:
        """Canonical JSON of exactly what may change the bytes that *step* writes for *video*: its settings, the digest
        of its weights and how they are converted, the digest of the code that it runs; for the probe, of the source."""
        return self._all_specs(video)[step]

    def key(self, video: str, step: str) -> str:
        """Name of what *video* has become after *step*: the hash of all specs up to there."""
        specs = self._all_specs(video)
        steps = list(specs)
        unseen = ("quantize", *ENLARGING_STEPS) if step in SMALL_STEPS else ()
        earlier = [name for name in steps[: steps.index(step) + 1] if name not in unseen]
        return short_hash(canonical([specs[name] for name in earlier]))

    def _all_specs(self, video: str) -> dict[str, str]:
        if video not in self._specs:
            steps = self.videos[video].steps
            self._specs[video] = {
                step: canonical(self._spec(video, step, settings))
                for step, settings in steps.items()
                if step != "provenance"
            }
            told = [
                {"step": step} | json.loads(spec)
                for step, spec in self._specs[video].items()
                if step.partition(".")[0] in RECORDED
            ]
            about = {"code": self._code["provenance"], "steps": told, "rerun": self._rerun(video)}
            self._specs[video]["provenance"] = canonical(about)
        return self._specs[video]

    def _spec(self, video: str, step: str, settings: Settings) -> Settings:
        spec = settings | {"code": self._code[step.partition(".")[0]]} | self.networks.spec(settings)
        if step in ("comparison", "page", "stages", "clip"):
            used = {
                step: self.videos[video].models(step) for step in RESTORING_STAGES if step in self.videos[video].steps
            }
            notes = {"upscale": " (int8, a draft)"} if "quantize" in self.videos[video].steps else {}
            spec |= {
                "made_by": [
                    f"{stage} {' + '.join(models)}{notes.get(stage, '')}" for stage, models in used.items() if models
                ]
            }
        if step in ("stages", "clip"):
            passed = [name for name in RESTORING_STAGES if name in self.videos[video].steps]
            spec["labels"] = {name: " ".join(["after", name, *self.videos[video].models(name)]) for name in passed}
        if step == "page":
            told = {
                name: [self.networks.told(m) for m in self.videos[video].models(name)]
                for name in self.videos[video].steps
                if name not in ("quantize", "sheet")
            }
            spec |= {"stages": {name: models for name, models in told.items() if models}}
        if step in ("page", "sheet"):
            spec |= {"look": _look()}
        if "sign" in settings:
            steps = self.videos[video].steps
            spec["claims"] = [
                {"stage": stage, "networks": [self.networks.told(model) for model in self.videos[video].models(stage)]}
                for stage in RESTORING_STAGES
                if stage in steps
            ]
        if step == "record":
            steps = self.videos[video].steps
            said = {option: value for step in ("detect", "faces") for option, value in steps[step].items()}
            parts = [option for option in MODEL_OPTIONS["faces"] if option in said]
            spec |= {"networks": {part: self.networks.told(said[part]) for part in parts}}
        if step == "repairs":
            retouch = self.videos[video].steps.get("retouch", {})
            parts = [option for option in MODEL_OPTIONS["retouch"] if option in retouch]
            spec |= {"networks": {part: self.networks.told(retouch[part]) for part in parts}}
        if step == "probe":
            source = self.videos[video].source
            spec |= {"source": remote.address(source) if remote.is_remote(source) else fingerprint(Path(source))}
        return spec

    def sample(self, video: str) -> Settings:
        """The configuration by which a sample of *video* is restored as the video will be: as its recipe and row say,
        apart from how its source is read, what is known of single frames, and limits."""
        row = self._rows[video]
        recipe = {
            stage: _registered(settings or {}, self.networks.own) | (row.overrides.get(stage) or {})
            for stage, settings in ({"encode": {}} | self.settings["recipes"][row.recipe]).items()
            if stage not in ("ingest", "review") and row.overrides.get(stage, {}) is not None
        }
        for stage, option in (("colorize", "hints"), ("colorize", "palette"), ("faces", "ignore"), ("faces", "only")):
            recipe.get(stage, {}).pop(option, None)
        # A sample that is beyond a limit is no reason to know nothing of its cost.
        limits = {measure: {"warning": None, "failure": None} for measure in self._limits}
        apart = {"palettes": {}, "limits": limits, "sign": {}, "explore": {}}
        return self.settings | apart | {"recipes": {"sample": recipe}, "part": "1/1", "keep": "all"}

    def _rerun(self, video: str) -> Settings:
        """Recipe, manifest row and models with which *video* can be restored again, complete and without paths: files
        of one's own are named as `restoration.provenance.reproduce` puts them."""
        row, about = self._rows[video], self.videos[video]
        recipe = self.settings["recipes"][row.recipe]
        full = {
            stage: self._full(stage, recipe.get(stage), row.overrides.get(stage))
            for stage in STAGES
            if stage in ALWAYS or (stage in recipe and row.overrides.get(stage, {}) is not None)
        }
        told = set(about.steps.get("images") or about.steps["encode"])
        told = (told - {"container"}) | {"image"} if _restores_a_still(row) else told
        full["encode"] = {option: value for option, value in full["encode"].items() if option in told}
        if colorize := full.get("colorize"):
            hints = HINTS_FILE if about.hints else ""
            colorize |= {"model": about.steps["colorize"]["model"], "hints": hints, "palette": ""}
            if "mix_with" not in about.steps["colorize"]:
                del colorize["mix_with"], colorize["mix_weight"]
        if "retouch" in full and "detector" not in about.steps["retouch"]:
            del full["retouch"]["min_score"], full["retouch"]["detect_at"]
        if full.get("faces", {}).get("only"):
            full["faces"]["only"] = FACES_FILE
        if copies := _copies(recipe):
            full["copies"] = {name.partition(".")[2]: self._full("encode", copy) for name, copy in copies.items()}
        source = remote.address(row.source) if remote.is_remote(row.source) else Path(row.source).name
        return {
            "noncommercial": self.settings["noncommercial"],
            "recipe": {row.recipe: full},
            "row": {"video": video, "source": source, "recipe": row.recipe, "start": row.start, "end": row.end},
            "models": self._entries([settings for step, settings in about.steps.items() if step in RECORDED]),
        }

    def _entries(self, steps: Sequence[Settings]) -> dict[str, Settings]:
        """The registry's entries of the models that *steps* use, each with the partners that it has there: files of
        one's own may stand in for others, or these may not be wanted."""
        models = sorted({model for settings in steps for model in named(settings)})
        entries = {
            model: {
                key: value
                for key, value in self.networks.models[model].entry().items()
                if key not in COMPANIONS or value in models
            }
            for model in models
        }
        for settings in steps:
            if "model" in settings:
                entries[settings["model"]] |= {name: settings[name] for name in COMPANIONS if name in settings}
        return entries

    def kind(self, video: str) -> str:
        """Hash of all that decides what a frame of *video* costs; one sample stands for all videos of a kind."""
        speed = {option: self.settings[option] for option in ("device", "engine", "threads", "batch", "fuse")}
        steps = {
            step: [self._code[step.partition(".")[0]], self.networks.spec(settings)]
            for step, settings in self.videos[video].steps.items()
            if step not in ("probe", "sheet")
        }
        return short_hash(canonical([self.sample(video)["recipes"], steps, speed, self.restores_a_still(video)]))

    def restores_a_still(self, video: str) -> bool:
        """Whether the source of *video* is an image, as far as its name tells."""
        return _restores_a_still(self._rows[video])

    def receipt(self, video: str) -> Path | None:
        """The note on how the remote source of *video* was fetched; None for a local source."""
        source, promised = self.videos[video].source, self.videos[video].promised
        if not remote.is_remote(source):
            return None
        # A query may tell one file from another, or be a signature that expires: next to a SHA-256 it means nothing.
        key = short_hash(remote.address(source) if "sha256" in promised else source)
        # The cells of a grid read what was fetched for their video.
        return Path(self.settings["work"], self._parents.get(video, video), f"source.{key}.json")

    def source(self, video: str) -> Path:
        """The file that is read for *video*: its local source, or the copy of a remote one, beside the receipt."""
        receipt, source = self.receipt(video), self.videos[video].source
        return receipt.with_suffix(remote.suffix(source)) if receipt else Path(source)

    def all_weights(self, videos: Iterable[str] | None = None) -> list[str]:
        """Files of the weights that *videos* need, or those of this run."""
        names = set(self.due if videos is None else videos)
        models = {
            model
            for video in map(self.videos.__getitem__, names)
            for step in video.steps
            if step != "sheet"
            for model in video.models(step)
        }
        explored = {self._parents[name] for name in names if name in self._parents}
        models |= {model for video in explored for model in self.videos[video].models("sheet")}
        return sorted(map(self.networks.weights, models))

    def current_intermediates(self, videos: Iterable[str] | None = None) -> set[str]:
        """Names, within the work folder, of everything of these *videos*, or of all, that the configuration as it is
        now can use again. It looks into every source."""
        names = {f"plan.{self.plan_key(planned)}.json" for planned in (self.due, self.explored) if planned}
        for video in self.videos if videos is None else videos:
            key = self.key(video, "probe")
            names |= {f"{video}/probe.{key}.json", f"{video}/timeline.{key}.tsv", f"{video}/page.json"}
            steps = self.videos[video].steps
            names |= {
                f"{video}/{step}.{self.key(video, step)}"
                for step in ("frames", "examine", "detect", *RESTORING_STAGES)
                if step in steps and not (step == "upscale" and self.videos[video].fused)
            }
            files = {"survey": "jsonl", "hints": "json", "track": "json", "quantize": "openvino"}
            names |= {f"{video}/{step}.{self.key(video, step)}.{kind}" for step, kind in files.items() if step in steps}
            if receipt := self.receipt(video):
                names |= {f"{receipt.parent.name}/{name}" for name in (receipt.name, self.source(video).name)}
        return names

    def plan_key(self, videos: Iterable[str] | None = None) -> str:
        """Name of the plan of *videos*, or of those of this run: hash of how chunks are cut, and of which parts of
        which sources.

        Without the sources' fingerprints: every cluster job asks for this name, and must not open 10,000 files for it.
        The plan is made anew for other content because its inputs, the probes, then have other names.
        """
        probes = {
            name: [self.videos[name].source, self.videos[name].steps["probe"]]
            for name in (self.due if videos is None else videos)
        }
        code = code_digest(Path(__file__).with_name("plan.py"))
        return short_hash(canonical([self.settings["chunk_frames"], code, probes]))

    @cached_property
    def _code(self) -> dict[str, str]:
        return {step: code_digest(self.workflow / "scripts" / f"{step}.py") for step in STEPS}


@cache
def _look() -> str:
    """Digest of the templates of pages, which no digest of code sees."""
    return short_hash("".join(path.read_text() for path in sorted(TEMPLATES.iterdir())))


def _restores_a_still(row: Row) -> bool:
    """Whether the source is an image, as far as its name tells."""
    return is_still(f"source{remote.suffix(row.source)}" if remote.is_remote(row.source) else row.source)


def _repair_steps(said: Settings, *, alone: bool) -> dict[str, Settings]:
    """The steps of the stage repair: every frame measured, each shot surveyed, repaired; none where nothing is asked.

    A frame that stands *alone* has no neighbours to tell what is wrong with it.
    """
    if alone:
        said |= {"weave": "none", "flicker": 0, "dust": 0, "scratches": False, "grain": 0}
    if not said["blur"]:
        said |= {"halo": 0}
    if not any(value not in (0, "none") for value in said.values()):
        return {}
    asked = {option for option, value in said.items() if value not in (0, "none")}
    needs = {"moved": {"weave", "scratches"}, "changed": {"flicker"}, "lines": {"scratches"}, "noise": {"grain"}}
    measured = [what for what, options in needs.items() if options & asked]
    survey: dict[str, Settings] = {"examine": {"measured": measured}, "survey": {}} if measured else {}
    return survey | {"repair": said}


def _face_steps(said: Settings) -> dict[str, Settings]:
    """The steps of the stage faces: to find them, to follow and judge them, to restore them."""
    helpers = {option: said[option] for option in ("parser", "identity") if said[option] != NO_MODEL}
    network = {"model": said["model"], "fidelity": said["fidelity"], "precision": said["precision"]}
    chosen = {
        option: said[option] for option in ("keep", "eye_distance", "max_size", "gap", "smoothing", "refuse_below")
    }
    return {
        "detect": {option: said[option] for option in ("detector", "min_score", "min_size")},
        "track": network | chosen | {"ignore": regions(said["ignore"]), "points": read_face_list(said["only"])},
        "faces": network | {"strength": said["strength"], "refuse_below": said["refuse_below"]} | helpers,
    }


def _copies(recipe: dict[str, Any]) -> dict[str, Settings]:
    """The further deliveries of *recipe* by the names of their steps."""
    return {f"encode.{name}": settings for name, settings in (recipe.get("copies") or {}).items()}


def _registered(settings: Any, own: Mapping[str, Settings]) -> Any:
    """*settings* of a stage, or of copies, with files of one's own named as in a recipe."""
    files = {
        id: {
            option: value
            for option, value in about.items()
            # Of others the scale is known, and no option.
            if option in ("file", "sha256") or (option == "scale" and about["task"] == "upscale")
        }
        for id, about in own.items()
    }
    return {option: files.get(value, value) if isinstance(value, str) else value for option, value in settings.items()}


def share(part: str, count: int) -> slice:
    """Which of *count* videos `number/parts` means; RestorationError if it means none."""
    number, parts = map(int, part.split("/"))
    if not number <= parts <= count:
        raise RestorationError(f"config: part: found {part!r}, allowed: 1/N to N/N, with N videos or fewer ({count})")
    return slice(count * (number - 1) // parts, count * number // parts)


@contextmanager
def collected(mistakes: list[str], place: str = "") -> Iterator[None]:
    """Add an error to the list of mistakes, after its *place*, instead of stopping at it."""
    try:
        yield
    except RestorationError as error:
        mistakes.append(f"{place}{error}")


def fingerprint(source: Path) -> str:
    """What tells one source file from another without reading it whole: size, first and last 64 KiB.

    The path and the mtime are not part of it: a moved, touched or copied file is the same video. (The probe reads the
    file whole, and runs again when the mtime rises.)
    """
    try:
        with source.open("rb") as handle:
            head = handle.read(FINGERPRINT_BYTES)
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(0, size - FINGERPRINT_BYTES))
            return f"{size}-{short_hash(head.hex() + handle.read().hex())}"
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _rejected(mistakes: list[str]) -> RestorationError:
    count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    lines = [f"  {number}. {mistake}" for number, mistake in enumerate(mistakes, start=1)]
    return RestorationError("\n".join([f"{count} in configuration and manifest, nothing was started:", *lines]))
