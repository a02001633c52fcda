"""The whole configuration: all mistakes in one message, and keys that change exactly when a result would."""

import copy
import importlib.util
import itertools
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from media_factory import wishes
from restoration.errors import RestorationError
from restoration.pipeline import configuration as module
from restoration.pipeline.configuration import FINGERPRINT_BYTES, Configuration, fingerprint
from restoration.pipeline.steps import STAGES

ROOT = Path(__file__).parents[3]
WORKFLOW = ROOT / "workflow"
REPORTS = ["comparison", "provenance", "measure", "judge", "page", "stages", "clip"]
STEPS = ["probe", "frames", "upscale", "encode", *REPORTS]


def rejected(project):
    with pytest.raises(RestorationError) as caught:
        project.configuration()
    first, *mistakes = str(caught.value).splitlines()
    count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    assert first == f"{count} in configuration and manifest, nothing was started:"
    assert [line.split(". ")[0] for line in mistakes] == [f"  {number}" for number in range(1, len(mistakes) + 1)]
    return [line.split(". ", 1)[1] for line in mistakes]


def defaults_of(stage):
    options = yaml.safe_load((WORKFLOW / "schemas" / "config.schema.yaml").read_text())["$defs"][stage]["properties"]
    defaults = {option: about["default"] for option, about in options.items()}
    # The first two concern still images only, the last one a step of its own.
    return {option: default for option, default in defaults.items() if option not in ("image", "quality", "stability")}


def test_the_shipped_configuration_is_sound(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = yaml.safe_load(Path("config/config.yaml").read_text())
    assert "kinescope-demo" in Configuration(config, WORKFLOW).videos


def test_the_shipped_configuration_shows_every_default():
    text = (ROOT / "config" / "config.yaml").read_text()
    # What the registry has no hashes for is shown as a comment.
    config = yaml.safe_load(re.sub(r"^    # (retouch:|  [a-z_]+: )", r"    \1", text, flags=re.MULTILINE))
    schema = yaml.safe_load((WORKFLOW / "schemas" / "config.schema.yaml").read_text())
    for key, about in schema["properties"].items():
        assert config[key] == about.get("default", config[key]), key
    for stage in STAGES:
        defaults = {key: about["default"] for key, about in schema["$defs"][stage]["properties"].items()}
        # What comes with the code is the default; a recipe for faces names what is made for them.
        defaults |= {"model": "GFPGANv1.4"} if stage == "faces" else {}
        recipe = {"colorize": "colour", "clean": "art", "repair": "silent", "retouch": "photo"}.get(stage, "kinescope")
        assert config["recipes"][recipe][stage] == defaults


def test_defaults_recipe_and_overrides_are_laid_over_each_other(project):
    project.rows(
        "a\ta.mp4\tfilm\t1.5\t", "b\tb.mp4\tcopy\t\t30", columns="video\tsource\trecipe\tupscale.outscale\tencode.crf"
    )
    videos = project.configuration().videos
    assert list(videos["a"].steps) == STEPS
    assert videos["a"].steps["upscale"] == defaults_of("upscale") | {"model": "small", "outscale": 1.5}
    assert videos["a"].steps["encode"] == defaults_of("encode") | {"crf": 20, "trimmed": False, "strict": False}
    assert list(videos["b"].steps) == ["probe", "frames", "encode", *REPORTS]
    assert videos["b"].steps["encode"]["crf"] == 30
    assert (videos["a"].before("upscale"), videos["a"].before("encode")) == ("frames", "upscale")
    assert videos["b"].before("encode") == "frames"


def test_settings_have_their_defaults(project):
    settings = project.configuration().settings
    assert (settings["device"], settings["batch"], settings["chunk_frames"], settings["work"]) == (
        "cpu",
        1,
        240,
        "work",
    )


def test_off_leaves_a_stage_out(project):
    project.rows("a\ta.mp4\tfilm\toff", "b\tb.mp4\tfilm\t", columns="video\tsource\trecipe\tupscale")
    videos = project.configuration().videos
    assert list(videos["a"].steps) == ["probe", "frames", "encode", *REPORTS]
    assert list(videos["b"].steps) == STEPS


def test_mistakes_of_config_and_manifest_come_in_one_message(project):
    project.config |= {"device": "gpu", "thread": 2, "chunk_frames": 0}
    project.rows("a b\ta.mp4\tfilm\t", "c\tc.mp4\tflim\t99", columns="video\tsource\trecipe\tencode.crf")
    assert [mistake.split("; allowed")[0].split(", allowed")[0] for mistake in rejected(project)] == [
        "config: unknown key 'thread'",
        "config: chunk_frames: found 0",
        'config: device: found "gpu"',
        'manifest.tsv, line 2: video: found "a b"',
        "manifest.tsv, line 3: encode: crf: found 99",
    ]


def test_unknown_recipes_and_models_have_a_suggestion(project):
    project.config["recipes"]["film"]["upscale"]["model"] = "smal"
    project.rows("a\ta.mp4\tflim\t", "b\tb.mp4\tfilm\tlarg", columns="video\tsource\trecipe\tupscale.model")
    allowed = "allowed: large, realesr-animevideov3-fp16, small"
    assert rejected(project) == [
        "manifest.tsv, line 2: recipe: unknown recipe 'flim'; allowed: copy, film; did you mean 'film'?",
        f"config: recipes.film: upscale.model: unknown model for upscale 'smal'; {allowed}; did you mean 'small'?",
        f"manifest.tsv, line 3: upscale.model: unknown model for upscale 'larg'; {allowed}; did you mean 'large'?",
    ]


def test_mistakes_within_a_recipe(project):
    project.config["recipes"]["film"] = {"upscale": {"outscale": 0, "til": 3}, "encod": {}, "encode": {"codec": "av2"}}
    found = rejected(project)
    assert len(found) == 4
    assert any(
        "recipes.film: unknown key 'encod'" in mistake and "did you mean 'encode'" in mistake for mistake in found
    )
    assert any("recipes.film.upscale: unknown key 'til'" in mistake and "'tile'" in mistake for mistake in found)
    assert any('recipes.film.encode.codec: found "av2", allowed: h264, h265' in mistake for mistake in found)


def test_deliveries_that_cannot_be_are_named_with_what_can(project):
    project.config["recipes"]["film"]["copies"] = {
        "master": {"codec": "ffv1"},
        "edit": {"codec": "prores", "container": "mov", "bits": 8},
        "web": {"codec": "h264", "crf": 60},
        "slow": {"codec": "ffv1", "container": "mkv", "bitrate": 100},
    }
    project.rows("a\ta.mp4\tfilm\tav1\tmov", columns="video\tsource\trecipe\tencode.codec\tencode.container")
    found = rejected(project)
    for place, what in (
        ("config: recipes.film: encode.master.container", "mp4 does not hold ffv1; allowed: mkv"),
        ("config: recipes.film: encode.edit.bits", "prores is made with 10 bits here, not 8"),
        ("config: recipes.film: encode.web.crf", "h264 knows 0 to 51, not 60"),
        ("config: recipes.film: encode.slow.bitrate", "ffv1 has no bit rate to set"),
        ("line 2: encode.container", "mov does not hold av1; allowed: mp4, mkv"),
    ):
        assert sum(f"{place}: {what}" in mistake for mistake in found) == 1, found
    assert len(found) == 5


def test_copies_are_deliveries_of_their_own(project):
    project.config["recipes"]["film"]["copies"] = {"master": {"codec": "ffv1", "container": "mkv", "bits": 8}}
    project.rows("a\ta.mp4\tfilm\t0.4", columns="video\tsource\trecipe\tstart")
    configuration = project.configuration()
    steps = configuration.videos["a"].steps
    assert list(steps) == ["probe", "frames", "upscale", "encode", "encode.master", *REPORTS]
    chosen = {"codec": "ffv1", "container": "mkv", "bits": "8", "trimmed": True, "strict": False}
    assert steps["encode.master"] == defaults_of("encode") | chosen
    assert configuration.spec("a", "encode.master") != configuration.spec("a", "encode")


def test_a_manifest_that_is_not_there(project):
    project.config |= {"manifest": "nowhere.tsv", "batch": 0}
    found = rejected(project)
    assert "nowhere.tsv: cannot be read: No such file or directory" in found
    assert len(found) == 2


@pytest.mark.parametrize(
    "content",
    [None, "a: [", "", "- a\n", "small: {task: upscale}\n", "small: {more: 1}\n"],
    ids=["missing", "no yaml", "empty", "a list", "keys missing", "unknown key"],
)
def test_mistakes_in_the_registry_join_the_others(project, content):
    project.config["models"] = "other.yaml"
    project.config["batch"] = 0
    if content is not None:
        Path("other.yaml").write_text(content)
    found = rejected(project)
    assert any(mistake.startswith("config: batch") for mistake in found)
    assert any(mistake.startswith("other.yaml") for mistake in found)


def test_a_default_model_that_the_registry_lacks_is_a_mistake(project):
    del project.models["realesr-animevideov3-fp16"]
    project.config["recipes"]["copy"] = {"upscale": {}}
    assert "realesr-animevideov3-fp16" in rejected(project)[0]


def test_recipes_named_by_a_number(project):
    project.config["recipes"][1950] = {}
    project.rows("a\ta.mp4\t1950")
    assert list(project.configuration().videos["a"].steps) == [
        "probe",
        "frames",
        "encode",
        *REPORTS,
    ]


def test_a_config_without_manifest_is_one_mistake(project):
    del project.config["manifest"]
    assert rejected(project) == ["config: 'manifest' is a required property"]


def test_an_option_of_a_stage_that_an_empty_recipe_lacks_is_a_mistake(project):
    project.rows("c\tc.mp4\tcopy\t2", columns="video\tsource\trecipe\tupscale.outscale")
    assert rejected(project) == ["manifest.tsv, line 2: upscale: recipe 'copy' has no stage upscale; add it there"]


def test_an_option_of_a_stage_that_the_recipe_lacks_is_a_mistake(project):
    project.config["recipes"]["copy"] = {"encode": {"crf": 3}}
    project.rows("c\tc.mp4\tcopy\t2", columns="video\tsource\trecipe\tupscale.outscale")
    assert rejected(project) == ["manifest.tsv, line 2: upscale: recipe 'copy' has no stage upscale; add it there"]


def test_models_of_another_task_do_not_fit(project, monkeypatch):
    monkeypatch.setattr(module, "problems", lambda *arguments: [])
    project.models["large"]["task"] = "faces"
    project.config["recipes"]["film"]["upscale"]["model"] = "large"
    (mistake,) = rejected(project)
    assert "unknown model for upscale 'large'; allowed: realesr-animevideov3-fp16, small" in mistake


def test_stills_become_images(project):
    project.rows(
        "a\ta.PNG\tfilm\t\t", "b\tb.jpeg\tfilm\tjpg\t80", "c\tc.tif\tcopy\ttif\t", "d\td.mp4\tfilm\ttif\t80",
        columns="video\tsource\trecipe\tencode.image\tencode.quality",
    )  # fmt: skip
    videos = project.configuration().videos
    assert list(videos["a"].steps) == [step for step in STEPS if step != "clip"], "nothing moves in it"
    assert {name: video.steps["encode"] for name, video in videos.items()} == {
        "a": {"container": "png", "mark": True, "label": "", "face_label": "", "grain": 0},
        "b": {"container": "jpg", "mark": True, "label": "", "face_label": "", "grain": 0, "quality": 80},
        "c": {"container": "tif", "mark": False, "label": "", "face_label": "", "grain": 0},
        "d": defaults_of("encode") | {"crf": 20, "trimmed": False, "strict": False},
    }


def test_stills_have_no_times_and_leave_their_comparison_its_name(project):
    project.rows(
        "a\ta.png\tfilm\t1\t", "b\tb.jpg\tfilm\t\t2", "Comparison\tc.png\tfilm\t\t", "d\td.mp4\tfilm\t1\t2",
        columns="video\tsource\trecipe\tstart\tend",
    )  # fmt: skip
    times = "start, end: a still image has no times; leave both empty"
    assert rejected(project) == [
        f"manifest.tsv, line 2: {times}",
        f"manifest.tsv, line 3: {times}",
        "manifest.tsv, line 4: video: a still image cannot be named 'Comparison': its comparison is",
    ]


def changed(project, change, *videos):
    """The steps whose key *change* changes, by video."""
    before = project.keys(*videos)
    change()
    after = project.keys(*videos)
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def concerned(project, change):
    """The steps whose spec *change* changes, by video: only files that hold frames are named after keys."""

    def specs():
        configuration = project.configuration()
        return {(v, step): configuration.spec(v, step) for v in "abc" for step in configuration.videos[v].steps}

    before = specs()
    change()
    after = specs()
    return {step for step in before if before[step] != after[step]}


def steps_of(video, first):
    steps = STEPS if video != "c" else [step for step in STEPS if step != "upscale"]
    return {(video, step) for step in steps[steps.index(first) :]}


def test_keys_are_names(project):
    keys = project.keys()
    assert all(len(key) == 10 and set(key) <= set("0123456789abcdef") for key in keys.values())
    assert len(set(keys.values())) == len(keys), "other sources, other keys"


def test_what_changes_no_key(project):
    def shuffle():
        project.config["recipes"] = {
            "copy": {},
            "film": {"encode": {"crf": 20}, "upscale": {"outscale": 2, "model": "small"}},
        }
        project.models = dict(reversed(project.models.items()))
        project.rows("c\tcopy\tc.mp4", "b\tfilm\tb.mp4", "a\tfilm\ta.mp4", columns="video\trecipe\tsource")

    def defaults_written_out():
        project.config["recipes"]["film"]["upscale"] |= {"precision": "fp32"}
        project.config["recipes"]["copy"]["encode"] = {"preset": "medium"}

    def where_and_how():
        project.config |= {"device": "auto", "threads": 1, "batch": 8, "work": "w", "results": "r", "weights": "x"}
        project.config |= {"chunk_frames": 10, "delete": True}

    def another_place():
        Path("archive").mkdir()
        shutil.copy("a.mp4", "archive/moved.mp4")
        project.rows("a\tarchive/moved.mp4\tfilm", "b\tb.mp4\tfilm", "c\tc.mp4\tcopy")

    def another_name_of_the_recipe():
        project.config["recipes"]["movie"] = project.config["recipes"].pop("film")
        project.rows("a\ta.mp4\tmovie", "b\tb.mp4\tmovie", "c\tc.mp4\tcopy")

    def a_recipe_that_nobody_uses():
        project.config["recipes"]["other"] = {"upscale": {"model": "large"}}
        project.models["large"]["sha256"] = "f" * 64

    def remarks():
        project.models["small"] |= {"note": "nice", "sources": [{"url": "https://x.example/y"}]}

    for change in (
        shuffle, defaults_written_out, where_and_how, a_recipe_that_nobody_uses, lambda: os.utime("b.mp4", (1, 1))
    ):  # fmt: skip
        assert changed(project, change) == set(), change
    for change in (another_place, another_name_of_the_recipe, remarks):
        # It names the source and the recipe, and tells what the registry does.
        assert {step for _, step in changed(project, change)} == {"provenance"}, change


def test_stills_concern_pictures_alone_and_are_in_seconds(project):
    def chosen():
        project.rows(
            "a\ta.mp4\tfilm\t1.5 0:02:30",
            "b\tb.mp4\tfilm\t",
            "c\tc.mp4\tcopy\t",
            columns="video\tsource\trecipe\treview.stills",
        )

    # A record holds the whole row, to do the same again.
    assert concerned(project, chosen) == {("a", step) for step in ("comparison", "provenance", "page", "stages")}
    assert project.configuration().videos["a"].steps["page"]["stills"] == [1.5, 150.0]
    project.rows("a\ta.mp4\tfilm\tsoon", columns="video\tsource\trecipe\treview.stills")
    with pytest.raises(RestorationError, match=r"review: stills: found .soon."):
        project.configuration()


def test_a_licence_concerns_the_page_that_tells_it(project):
    def another_licence():
        project.models["small"]["licence"] = "CC0-1.0"

    assert {step for _, step in concerned(project, another_licence)} == {"provenance", "page"}


def test_settings_change_the_keys_from_their_stage_on(project):
    film = project.config["recipes"]["film"]

    def crf():
        film["encode"]["crf"] = 21

    def outscale():
        film["upscale"]["outscale"] = 3

    def weights():
        project.models["small"]["sha256"] = "e" * 64

    both = [("a", "b"), ("a", "b"), ("a", "b")]
    for change, first, videos in zip((crf, outscale, weights), ("encode", "upscale", "upscale"), both, strict=True):
        assert changed(project, change) == set.union(*(steps_of(video, first) for video in videos)), change


def test_settings_of_images_concern_images_and_those_of_videos_videos(project):
    shutil.copy("a.mp4", "a.png")
    shutil.copy("b.mp4", "b.jpg")
    project.rows(
        "a\ta.png\tfilm\t", "b\tb.jpg\tfilm\tjpg", "d\td.mp4\tfilm\t", columns="video\tsource\trecipe\tencode.image"
    )
    encode = project.config["recipes"]["film"]["encode"]
    assert changed(project, lambda: encode.update(quality=50)) == steps_of("b", "encode") - {("b", "clip")}
    assert changed(project, lambda: encode.update(image="tif")) == steps_of("a", "encode") - {("a", "clip")}
    assert changed(project, lambda: encode.update(crf=30)) == steps_of("d", "encode")


def test_another_model_of_the_same_settings_changes_the_keys(project):
    def model():
        project.config["recipes"]["film"]["upscale"]["model"] = "large"

    assert changed(project, model) == steps_of("a", "upscale") | steps_of("b", "upscale")


def test_swapped_values_change_the_keys(project):
    upscale = project.config["recipes"]["film"]["upscale"]
    upscale |= {"tile": 64, "overlap": 32}

    def swap():
        upscale["tile"], upscale["overlap"] = upscale["overlap"], upscale["tile"]

    assert changed(project, swap, "a") == steps_of("a", "upscale")


def test_a_sources_content_changes_all_its_keys(project):
    assert changed(project, lambda: Path("b.mp4").write_bytes(b"b" * 999 + b"!")) == steps_of("b", "probe")


def test_an_excerpt_changes_all_keys_of_its_video(project):
    def excerpt():
        project.rows(
            "a\ta.mp4\tfilm\t1", "b\tb.mp4\tfilm\t", "c\tc.mp4\tcopy\t", columns="video\tsource\trecipe\tstart"
        )

    assert changed(project, excerpt) == steps_of("a", "probe")


def test_start_and_end_are_not_the_same(project):
    def times(start, end):
        project.rows(f"a\ta.mp4\tfilm\t{start}\t{end}", columns="video\tsource\trecipe\tstart\tend")

    times("5", "")
    assert changed(project, lambda: times("", "5"), "a") == steps_of("a", "probe")


def test_recipes_share_what_they_share(project):
    shutil.copy("a.mp4", "b.mp4")
    shutil.copy("a.mp4", "c.mp4")
    project.config["recipes"]["sharp"] = {"upscale": {"model": "small", "outscale": 2}, "encode": {"crf": 5}}
    project.rows("a\ta.mp4\tfilm", "b\tb.mp4\tsharp", "c\tc.mp4\tcopy")
    keys = project.keys()
    assert keys["a", "frames"] == keys["b", "frames"] == keys["c", "frames"]
    assert keys["a", "upscale"] == keys["b", "upscale"]
    assert len({keys["a", "encode"], keys["b", "encode"], keys["c", "encode"]}) == 3


def test_going_back_gives_the_old_keys(project):
    before = project.keys()
    project.config["recipes"]["film"]["upscale"]["outscale"] = 3
    assert project.keys() != before
    project.config["recipes"]["film"]["upscale"]["outscale"] = 2
    assert project.keys() == before


def test_a_whole_number_is_a_number(project):
    def whole():
        project.config["recipes"]["film"]["upscale"]["outscale"] = 2.0

    assert changed(project, whole) == set()


def test_integers_arrive_as_integers(project):
    project.rows("a\ta.mp4\tfilm\t512.0", columns="video\tsource\trecipe\tupscale.tile")
    assert isinstance(project.configuration().videos["a"].steps["upscale"]["tile"], int)


@pytest.mark.parametrize(("script", "first"), [("probe", "probe"), ("frames", "frames"), ("upscale", "upscale")])
def test_code_changes_the_keys_from_its_step_on(project, script, first):
    before = project.keys("a")
    shutil.copytree(WORKFLOW, "workflow")
    project.workflow = Path("workflow").resolve()
    with (project.workflow / "scripts" / f"{script}.py").open("a") as handle:
        handle.write("print('changed')\n")
    after = project.keys("a")
    assert {key for key in before if before[key] != after[key]} == steps_of("a", first)


def test_comments_in_code_change_no_key(project):
    before = project.keys()
    shutil.copytree(WORKFLOW, "workflow")
    project.workflow = Path("workflow").resolve()
    for script in project.workflow.glob("scripts/*.py"):
        script.write_text(script.read_text() + "\n# a remark\n")
    assert project.keys() == before


def test_specs_hold_exactly_what_matters(project):
    configuration = project.configuration()
    names = {step: set(yaml.safe_load(configuration.spec("a", step))) for step in STEPS}
    assert names == {
        "probe": {*wishes(), "code", "source"},
        "frames": {"code"},
        "upscale": {*defaults_of("upscale"), "code", "weights", "conversion"},
        "encode": {*defaults_of("encode"), "code", "trimmed", "strict"},
        "comparison": {"code", "made_by", "stills"},
        "page": {"code", "made_by", "stills", "stages", "look", "limits"},
        "stages": {"code", "made_by", "stills", "labels"},
        "clip": {"code", "made_by", "labels", "trimmed"},
        "provenance": {"code", "steps", "rerun"},
        "measure": {*defaults_of("encode"), "code", "trimmed", "strict"},
        "judge": {"code", "limits"},
    }


def test_limits_are_those_of_the_user_over_the_defaults(project):
    before = yaml.safe_load(project.configuration().spec("a", "judge"))["limits"]
    assert before["frames_off"] == {"warning": 0, "failure": 0}
    kind, sample = (getattr(project.configuration(), about)("a") for about in ("kind", "sample"))
    limits = {"psnr": {"failure": 18}, "ssim": {"warning": None}}
    changes = concerned(project, lambda: project.config.update(limits=limits))
    assert changes == {(video, step) for video in "abc" for step in ("judge", "page")}, "nothing is measured anew"
    after = yaml.safe_load(project.configuration().spec("a", "judge"))["limits"]
    assert after["psnr"] == {"warning": before["psnr"]["warning"], "failure": 18}
    assert after["ssim"]["warning"] is None
    assert (project.configuration().kind("a"), project.configuration().sample("a")) == (kind, sample)


def test_mistaken_limits(project):
    project.config["limits"] = {"pnsr": {"warning": 3}, "ssim": {"warn": 1}, "black": {"failure": "none"}}
    unknown, black, ssim = rejected(project)
    assert unknown.startswith("config: limits: unknown key 'pnsr'; allowed: audio_offset, black, ")
    assert unknown.endswith("did you mean 'psnr'?")
    assert black.startswith('config: limits.black.failure: found "none", allowed: number or null')
    assert ssim == "config: limits.ssim: unknown key 'warn'; allowed: failure, warning; did you mean 'warning'?"


def test_a_second_colorizer_is_mixed_in(project):
    colorize = {"model": "deep", "mix_with": "wide", "mix_weight": 0.3}
    small = project.models["small"] | {"task": "colorize", "scale": 1}
    project.models |= {"deep": small | {"sha256": "4" * 64}, "wide": small | {"sha256": "5" * 64}}
    project.config["recipes"]["film"]["colorize"] = colorize
    configuration = project.configuration()
    spec = yaml.safe_load(configuration.spec("a", "colorize"))
    assert (spec["weights"], spec["mix_weight"]) == (["4" * 64, "5" * 64], 0.3)
    assert yaml.safe_load(configuration.spec("a", "comparison"))["made_by"] == ["colorize deep + wide", "upscale small"]
    assert [Path(file).name.partition(".")[0] for file in configuration.all_weights()] == ["deep", "small", "wide"]

    def share():
        colorize["mix_weight"] = 0.4

    recolored = {(video, step) for video in "ab" for step in ("colorize", "stabilize")}
    assert changed(project, share) == recolored | steps_of("a", "upscale") | steps_of("b", "upscale")
    del colorize["mix_with"]
    spec = yaml.safe_load(project.configuration().spec("a", "colorize"))
    assert spec["weights"] == ["4" * 64]
    assert not {"mix_with", "mix_weight"} & set(spec)
    assert changed(project, lambda: colorize.update(mix_weight=0.9)) == set()


@pytest.mark.parametrize(
    ("option", "id"), [("mix_with", "small"), ("mix_with", "auto"), ("model", "none"), ("model", "x")]
)
def test_colorizers_are_colorizers(project, option, id):
    project.models["deep"] = project.models["small"] | {"task": "colorize", "scale": 1}
    project.config["recipes"]["film"]["colorize"] = {"model": "deep", option: id}
    (mistake,) = rejected(project)
    assert f"recipes.film: colorize.{option}: unknown model for colorize {id!r}; allowed: deep" in mistake


def test_the_networks_in_use_are_named_at_the_start(project):
    notices = project.configuration().notices("ab")
    assert notices == ["NOTICE: upscale uses small; the recipe can name another network, see config/models.yaml"]
    project.models["small"]["sources"] = [{"url": "https://x.example/small.pth"}]
    (notice,) = project.configuration().notices("ab")
    assert "whose weights are not here and will be fetched (0.0 MB)" in notice
    project.models["small"]["sources"] = [{"url": "https://x.example/all.zip", "file": "small.pth"}]
    (notice,) = project.configuration().notices("ab")
    assert "whose weights are not here and will be fetched;" in notice


def test_a_colorizer_is_not_mixed_with_itself(project):
    project.models["deep"] = project.models["small"] | {"task": "colorize", "scale": 1}
    project.config["recipes"]["film"]["colorize"] = {"model": "deep", "mix_with": "deep"}
    assert rejected(project) == ["config: recipes.film: colorize.mix_with: deep is mixed with itself"]


def test_auto_takes_what_another_video_will_have_fetched(project):
    """Otherwise the next run would colour the first video anew, and jobs on a cluster in the middle of this one."""
    for id, number in {"deoldify-video": 4, "embedded-colorizer": 5}.items():
        project.models[id] = project.models["small"] | {"task": "colorize", "scale": 1, "sha256": str(number) * 64}
    project.config["recipes"] |= {"auto": {"colorize": {}}, "named": {"colorize": {"model": "deoldify-video"}}}
    project.rows("a\ta.mp4\tauto", "b\tb.mp4\tfilm")
    assert project.configuration().videos["a"].models("colorize") == ["embedded-colorizer"]
    project.rows("a\ta.mp4\tauto", "b\tb.mp4\tnamed")
    assert project.configuration().videos["a"].models("colorize") == ["deoldify-video"]


def test_a_broken_download_is_not_at_hand(project):
    for id, number in {"deoldify-video": 4, "embedded-colorizer": 5}.items():
        project.models[id] = project.models["small"] | {"task": "colorize", "scale": 1, "sha256": str(number) * 64}
    project.config["recipes"]["film"]["colorize"] = {}
    download = Path("weights/downloads/deoldify-video.pth")
    download.parent.mkdir(parents=True)
    for content, model in {b"xx": "embedded-colorizer", b"x": "deoldify-video"}.items():
        download.write_bytes(content)
        assert project.configuration().videos["a"].models("colorize") == [model]


def test_a_file_of_the_users_own_is_a_model(project):
    Path("my nets").mkdir()
    Path("my nets/My Net.pth").write_bytes(b"x")
    own = {"file": "my nets/My Net.pth", "sha256": "ab" * 32}
    project.config["recipes"]["film"]["upscale"] = {"model": own}
    configuration = project.configuration()
    assert [Path(file).name.partition(".")[0] for file in configuration.all_weights()] == ["My_Net-upscale-abababab"]
    spec = yaml.safe_load(configuration.spec("a", "upscale"))
    assert (spec["model"], spec["weights"]) == ("My_Net-upscale-abababab", ["ab" * 32])
    assert configuration.networks.own == {"My_Net-upscale-abababab": {"task": "upscale", **own}}
    project.config["recipes"]["film"]["upscale"] = {"model": {"file": "gone.pth", "sha256": "ab" * 32}}
    assert "recipes.film: upscale.model: gone.pth: no such file" in rejected(project)[0]
    project.config["recipes"]["film"]["upscale"] = {"model": {"file": "my nets/My Net.onnx", "sha256": "x"}}
    assert len(rejected(project)) == 2
    project.config["recipes"]["film"]["upscale"] = {"model": {"file": "my nets/My Net.pth"}}
    assert "'sha256' is a required property" in rejected(project)[0]


def test_repair_is_measured_surveyed_and_recorded(project):
    project.config["recipes"]["film"]["repair"] = {"flicker": 0.5, "scratches": False}
    video = project.configuration().videos["a"]
    assert list(video.steps)[2:6] == ["examine", "survey", "repair", "upscale"]
    assert video.steps["repair"] == defaults_of("repair") | {"flicker": 0.5, "scratches": False}
    # Half the flicker is measured like all of it.
    assert video.steps["examine"] == {"measured": ["moved", "changed"]} and video.steps["survey"] == {}
    assert video.steps["repairs"] == {"trimmed": False, "settings": {"repair": video.steps["repair"]}}
    assert [video.before(step) for step in ("examine", "repair", "upscale", "detect")] == [
        *["frames"] * 2, *["repair"] * 2,
    ]  # fmt: skip
    measured = {step: project.configuration().key("a", step) for step in ("survey", "repair")}
    project.config["recipes"]["film"]["repair"] |= {"flicker": 1, "dust": 0}
    assert project.configuration().key("a", "survey") == measured["survey"]
    assert project.configuration().key("a", "repair") != measured["repair"]


def test_repairs_that_nobody_asks_for_are_no_steps(project):
    off = dict.fromkeys(("flicker", "dust", "grain", "blocks", "blur", "halo"), 0)
    project.config["recipes"]["film"]["repair"] = off | {"weave": "none", "scratches": False}
    assert list(project.configuration().videos["a"].steps) == STEPS
    # What nobody has to measure, nobody does.
    project.config["recipes"]["film"]["repair"]["dust"] = 0.5
    assert list(project.configuration().videos["a"].steps)[2:4] == ["repair", "upscale"]
    assert "repairs" in project.configuration().videos["a"].steps
    project.config["recipes"]["film"]["repair"] |= {"dust": 0, "halo": 1}
    assert "repair.halo: needs to know how soft the picture is, too: set repair.blur" in rejected(project)[0]


def test_a_single_frame_has_no_neighbours_to_be_repaired_by(project):
    project.rows("a\ta.png\tfilm\t", "b\tb.mp4\tfilm\tat 1", columns="video\tsource\trecipe\tingest.sample")
    project.config["recipes"]["film"]["repair"] = {}
    assert not {"examine", "survey", "repair", "repairs"} & project.configuration().videos["a"].steps.keys()
    project.config["recipes"]["film"]["repair"] = {"blur": 1.5, "halo": 0.5}
    for video in project.configuration().videos.values():
        assert {option: value for option, value in video.steps["repair"].items() if value not in (0, "none")} == {
            "blur": 1.5, "halo": 0.5,
        }  # fmt: skip
        assert not {"examine", "survey", "repairs"} & video.steps.keys()


def test_calm_detail_is_a_step_of_its_own_and_not_for_stills(project):
    project.config["recipes"]["film"]["upscale"]["stability"] = 0.9
    assert changed(project, lambda: None) == set()
    video = project.configuration().videos["a"]
    assert list(video.steps)[2:4] == ["upscale", "settle"] and video.steps["settle"] == {"stability": 0.9}
    assert (video.before("settle"), video.before("encode")) == ("upscale", "settle")
    project.rows("a\ta.png\tfilm")
    assert "settle" not in project.configuration().videos["a"].steps


def test_a_broken_registry_is_one_mistake_beside_a_file_of_ones_own(project):
    Path("net.pth").write_bytes(b"x")
    project.config["recipes"]["film"]["upscale"]["model"] = {"file": "net.pth", "sha256": "ab" * 32}
    project.config["recipes"]["other"] = {"upscale": {"model": "large"}}
    project.models["small"]["scale"] = "much"
    assert len(rejected(project)) == 1


def test_companions_of_a_model_are_used_where_they_matter(project):
    project.models["large"] |= {"weak_denoise": "small", "further_passes": "realesr-animevideov3-fp16"}
    upscale = project.config["recipes"]["film"]["upscale"] = {"model": "large"}
    assert yaml.safe_load(project.configuration().spec("a", "upscale"))["weights"] == ["2" * 64, "1" * 64, "3" * 64]
    upscale["denoise_strength"] = 1
    assert yaml.safe_load(project.configuration().spec("a", "upscale"))["weights"] == ["2" * 64, "3" * 64]
    upscale |= {"model": "small", "denoise_strength": 0.2}
    mistakes = rejected(project)
    assert "manifest.tsv, line 2: upscale.denoise_strength: small does not know it" in mistakes[0]
    project.config["recipes"]["film"]["faces"] = {"model": "small", "fidelity": 0.7}
    assert any("manifest.tsv, line 2: faces.fidelity: small does not know it" in one for one in rejected(project))
    project.models["small"]["fidelity"] = True
    assert not any("fidelity" in one for one in rejected(project))
    project.models["large"]["weak_denoise"] = "smal"
    assert "models.yaml: large.weak_denoise: there is no model 'smal'" in rejected(project)[0]


@pytest.fixture
def photos(project):
    """A registry with networks for old photographs, and a recipe that uses the one that fills scratches."""

    def entry(task, digit, **partners):
        return project.models["small"] | {"task": task, "scale": 1, "sha256": digit * 64} | partners

    halves = {"encoder": "vae-a", "decoder": "vae-b"}
    project.models |= {
        "vae-a": entry("autoencode", "a"),
        "vae-b": entry("autoencode", "b"),
        "finder": entry("find_scratches", "c"),
        "fading": entry("retouch", "d", **halves),
        "scratches": entry("retouch", "e", **halves, detector="finder"),
    }
    project.config["recipes"]["film"]["retouch"] = {"model": "scratches"}
    return project


def test_a_network_that_retouches_brings_its_partners(photos):
    retouch = photos.config["recipes"]["film"]["retouch"]
    video = photos.configuration().videos["a"]
    assert list(video.steps)[:4] == ["probe", "frames", "retouch", "upscale"]
    partners = {"model": "scratches", "encoder": "vae-a", "decoder": "vae-b", "detector": "finder"}
    assert video.steps["retouch"] == defaults_of("retouch") | partners
    assert [letter * 64 for letter in "eabc"] == yaml.safe_load(photos.configuration().spec("a", "retouch"))["weights"]
    # What finds scratches is no setting of one that knows none.
    retouch["model"] = "fading"
    steps = photos.configuration().videos["a"].steps
    assert not steps["retouch"].keys() & {"detector", "min_score", "detect_at"}
    assert photos.configuration().videos["a"].models("retouch") == ["fading", "vae-a", "vae-b"]
    retouch["min_score"] = 0.2
    assert "line 2: retouch.min_score: fading does not know it; old-photos-scratches does" in rejected(photos)[0]


def test_partners_can_be_files_of_the_users_own(photos):
    Path("mine.pth").write_bytes(b"x")
    mine = {"file": "mine.pth", "sha256": "ab" * 32}
    photos.config["recipes"]["film"]["retouch"] |= {"decoder": mine}
    assert photos.configuration().videos["a"].models("retouch") == [
        "scratches", "vae-a", "mine-autoencode-abababab", "finder"
    ]  # fmt: skip
    retouch = photos.config["recipes"]["film"]["retouch"] = {"model": dict(mine), "encoder": "vae-a", "min_score": 0.2}
    assert rejected(photos) == [
        "config: recipes.film: retouch.decoder: mine-retouch-abababab names none in the registry; name one here",
        *(
            f"manifest.tsv, line {line}: retouch.min_score: nothing finds scratches; name a retouch.detector"
            for line in (2, 3)
        ),
    ]
    retouch |= {"decoder": "vae-b", "detector": "finder"}
    assert photos.configuration().videos["a"].models("retouch") == ["mine-retouch-abababab", "vae-a", "vae-b", "finder"]
    del retouch["detector"], retouch["min_score"]
    assert photos.configuration().videos["a"].models("retouch") == ["mine-retouch-abababab", "vae-a", "vae-b"]
    retouch["detect_at"] = 0
    assert "retouch.detect_at: nothing finds scratches" in rejected(photos)[0]


def test_what_finds_scratches_is_for_networks_that_fill_them(photos):
    retouch = photos.config["recipes"]["film"]["retouch"] = {"model": "fading", "detector": "finder"}
    wrong = "retouch.detector: fading fills no scratches, says the registry; leave it out"
    assert rejected(photos) == [f"config: recipes.film: {wrong}"]
    retouch["model"] = "scratches"
    photos.configuration()
    photos.rows("a\ta.mp4\tfilm\tfading", columns="video\tsource\trecipe\tretouch.model")
    assert rejected(photos) == [f"manifest.tsv, line 2: {wrong}"]
    photos.rows("a\ta.mp4\tfilm\tfinder", columns="video\tsource\trecipe\tretouch.detector")
    retouch |= {"model": "fading", "detector": "auto"}
    assert rejected(photos) == [f"manifest.tsv, line 2: {wrong}"]


def test_a_broken_registry_says_nothing_of_options(photos):
    Path("mine.pth").write_bytes(b"x")
    mine = {"file": "mine.pth", "sha256": "ab" * 32}
    photos.config["recipes"]["film"]["retouch"] = {"model": mine, "min_score": 0.2, "detector": dict(mine)}
    photos.models["small"]["scale"] = "much"
    assert len(rejected(photos)) == 1


def test_retouching_by_files_of_the_users_own_can_be_done_again(photos):
    Path("mine.pth").write_bytes(b"x")

    def mine(digit):
        return {"file": "mine.pth", "sha256": digit * 64}

    halves = {"encoder": mine("5"), "decoder": mine("6")}
    models = photos.models
    for retouch in (
        {"model": "scratches", "encoder": mine("5")},
        {"model": "scratches", "decoder": mine("6"), "detector": mine("7"), "min_score": 0.2},
        {"model": "fading", "encoder": mine("5")},
        {"model": mine("8")} | halves,
        {"model": mine("8"), "detector": mine("7"), "detect_at": 0} | halves,
    ):
        photos.models = models
        photos.config["recipes"] = {"film": {"retouch": copy.deepcopy(retouch)}}
        photos.rows("a\ta.mp4\tfilm")
        original = photos.configuration()
        rerun = yaml.safe_load(original.spec("a", "provenance"))["rerun"]
        photos.config["recipes"], photos.models = rerun["recipe"], rerun["models"]
        again = photos.configuration()
        assert again.spec("a", "retouch") == original.spec("a", "retouch"), retouch
        assert again.spec("a", "provenance") == original.spec("a", "provenance"), retouch


def test_a_sample_has_the_files_of_the_users_own(photos):
    Path("mine.pth").write_bytes(b"x")
    film = photos.config["recipes"]["film"]
    film["retouch"]["encoder"] = mine = {"file": "mine.pth", "sha256": "ab" * 32}
    film["upscale"]["model"] = larger = dict(mine) | {"scale": 4}
    recipe = photos.configuration().sample("a")["recipes"]["sample"]
    assert (recipe["retouch"]["encoder"], recipe["upscale"]["model"]) == (mine, larger)


def test_what_a_grid_gives_to_networks_that_do_not_know_it_is_not_recorded(photos):
    photos.models["mtcnn"] = photos.models["small"] | {"task": "detect", "sha256": "9" * 64}
    grid = {"retouch.model": ["fading", "scratches"], "retouch.min_score": [0.2]}
    photos.config["explore"] = {"videos": ["a"], "grid": grid}
    configuration = photos.configuration()
    for cell in configuration.cells["a"]:
        about = yaml.safe_load(configuration.spec(cell.row.video, "provenance"))["rerun"]
        (recipe,) = about["recipe"].values()
        known = recipe["retouch"]["model"] == "scratches"
        assert (recipe["retouch"].get("min_score"), "detect_at" in recipe["retouch"]) == (0.2 if known else None, known)


def test_companions_that_are_not_used_are_not_recorded(project):
    project.models["large"] |= {"weak_denoise": "small", "further_passes": "realesr-animevideov3-fp16"}
    project.config["recipes"]["film"]["upscale"] = {"model": "large", "denoise_strength": 1}
    models = yaml.safe_load(project.configuration().spec("a", "provenance"))["rerun"]["models"]
    assert set(models) == {"large", "realesr-animevideov3-fp16"}
    assert "weak_denoise" not in models["large"]
    assert models["large"]["further_passes"] == "realesr-animevideov3-fp16"


def test_mistaken_partners(photos):
    retouch = photos.config["recipes"]["film"]["retouch"]
    retouch |= {"detector": "vae-a", "encoder": "none"}
    assert [mistake.partition(";")[0] for mistake in rejected(photos)] == [
        "config: recipes.film: retouch.encoder: unknown model for autoencode 'none'",
        "config: recipes.film: retouch.detector: unknown model for find_scratches 'vae-a'",
    ]
    photos.models = {name: model for name, model in photos.models.items() if model["task"] == "upscale"}
    retouch.clear()
    assert rejected(photos) == [
        "config: recipes.film: retouch.model: 'old-photos-quality' is not in the registry, nor another for retouch; "
        "its comments tell more"
    ]
    photos.models["large"]["encoder"] = "gone"
    assert "models.yaml: large.encoder: there is no model 'gone'" in rejected(photos)[0]


def test_a_network_is_fitted_to_a_video_that_is_upscaled_in_int8(project):
    finder = project.models["small"] | {"task": "detect", "scale": 1, "sha256": "4" * 64}
    project.models["finder"] = finder
    film = project.config["recipes"]["film"]
    film["faces"] = {"model": "small", "detector": "finder"}
    upscale = film["upscale"]
    enlarged = {(video, step) for video in "ab" for step in ("upscale", "faces", "encode", "record", *REPORTS)}
    fitted = {(video, "quantize") for video in "ab"}
    assert changed(project, lambda: upscale.update(precision="int8")) == enlarged | fitted, "faces are found as before"
    assert changed(project, lambda: upscale.update(outscale=3)) == enlarged, "the network is the same"
    configuration = project.configuration()
    assert configuration.videos["a"].before("quantize") == configuration.videos["a"].before("upscale") == "frames"
    assert yaml.safe_load(configuration.spec("a", "comparison"))["made_by"][0] == "upscale small (int8, a draft)"
    key = configuration.key("a", "quantize")
    assert f"a/quantize.{key}.openvino" in configuration.current_intermediates()


def test_what_cannot_be_upscaled_in_int8(project, monkeypatch):
    project.models["large"] |= {"weak_denoise": "small"}
    project.config["recipes"]["film"]["upscale"] = {"model": "large", "precision": "int8"}
    project.config["engine"] = "torch"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said = [mistake.partition("int8 ")[2] for mistake in rejected(project)]
    assert said[:3] == [
        "needs OpenVINO on the CPU: set device: cpu and engine: auto",
        "needs what is not installed: pip install openvino nncf",
        "does not go with large, which is used together with others; use fp32 or bf16",
    ]


def test_a_change_of_faces_concerns_faces_and_what_comes_after(project):
    tasks = {"finder": "detect", "painter": "restore_faces", "parts": "parse_faces", "persons": "identify_faces"}
    for number, (id, task) in enumerate(tasks.items(), start=4):
        project.models[id] = project.models["small"] | {"task": task, "scale": 1, "sha256": str(number) * 64}
    faces = {"detector": "finder", "model": "painter", "parser": "parts", "identity": "persons"}
    project.config["recipes"]["film"]["faces"] = faces
    configuration = project.configuration()
    record = yaml.safe_load(configuration.spec("a", "record"))["networks"]
    assert {part: told["task"] for part, told in record.items()} == {
        part: tasks[id] for part, id in faces.items()
    }  # fmt: skip
    # The script takes the weights in this order.
    assert yaml.safe_load(configuration.spec("a", "faces"))["weights"] == [str(n) * 64 for n in (5, 6, 7)]
    assert not any("faces.model" in notice for notice in configuration.notices("a"))
    later = {(video, step) for video in "ab" for step in ("faces", "encode", "record", *REPORTS)}
    assert changed(project, lambda: faces.update(strength=0.5)) == later
    assert changed(project, lambda: faces.update(gap=3)) == later | {("a", "track"), ("b", "track")}
    assert changed(project, lambda: faces.update(model="small")) == later | {("a", "track"), ("b", "track")}
    # Faces are looked for before upscaling: its settings do not concern them.
    enlarged = {(video, step) for video in "ab" for step in ("upscale", "faces", "encode", "record", *REPORTS)}
    assert changed(project, lambda: project.config["recipes"]["film"]["upscale"].update(outscale=3)) == enlarged
    assert any(
        "faces.model: small is a network for any picture" in notice for notice in project.configuration().notices("a")
    )


def test_weights_are_listed_once_and_named_after_their_content(project):
    (name,) = project.configuration().all_weights()
    assert name.startswith("weights/small.")
    assert name.endswith(".safetensors")
    project.models["small"]["sha256"] = "d" * 64
    assert project.configuration().all_weights() != [name]
    project.rows("c\tc.mp4\tcopy")
    assert project.configuration().all_weights() == []


def test_single_frames_become_images_and_have_no_neighbours(project):
    project.config["recipes"]["film"]["upscale"]["stability"] = 0.9
    project.config["recipes"]["film"]["ingest"] = {"sample": "every 5"}
    assert list(project.configuration().videos["a"].steps) == [*("probe", "frames", "upscale", "images", "provenance")]
    project.config["results"] = "s3://bucket/folder"
    with pytest.raises(RestorationError, match=r"line 2: ingest\.sample: images of single frames need a folder"):
        project.configuration()


def test_a_still_has_no_frames_to_choose_from(project):
    Path("a.png").write_bytes(b"x")
    project.rows("a\ta.png\tfilm\tshots 3", columns="video\tsource\trecipe\tingest.sample")
    with pytest.raises(RestorationError, match=r"line 2: ingest\.sample: a still image has one frame only"):
        project.configuration()


def test_cells_are_videos_that_are_not_due(project):
    project.models["mtcnn"] = project.models["small"] | {"task": "detect", "sha256": "5" * 64}
    project.config["explore"] = {"videos": ["a"], "sample": "at 1", "grid": {"upscale.outscale": [1, 2, 4]}}
    configuration = project.configuration()
    assert configuration.due == ["a", "b", "c"]
    assert len(configuration.explored) == 3
    assert [configuration.videos[cell].steps["upscale"]["outscale"] for cell in configuration.explored] == [1, 2, 4]
    assert configuration.plan_key() != configuration.plan_key(configuration.explored)
    kept = configuration.current_intermediates()
    assert {f"plan.{configuration.plan_key(configuration.explored)}.json"} < kept
    assert {name.partition("/")[0] for name in kept} > set(configuration.explored)


def test_a_grid_concerns_nothing_that_is_due(project):
    project.models["mtcnn"] = project.models["small"] | {"task": "detect", "sha256": "5" * 64}

    def facts():
        configuration = project.configuration()
        specs = {step: configuration.spec("a", step) for step in configuration.videos["a"].steps if step != "sheet"}
        return specs, configuration.kind("a"), configuration.all_weights(), configuration.notices("a")

    before = facts()
    project.config["explore"] = {"videos": ["a"], "grid": {"upscale.outscale": [1, 2]}}
    assert facts() == before
    weights = project.configuration().all_weights(project.configuration().explored)
    assert any("mtcnn" in name for name in weights), "which finds the faces of sheets"


def test_a_grid_leaves_stills_out_unless_they_are_named(project):
    project.models["mtcnn"] = project.models["small"] | {"task": "detect", "sha256": "5" * 64}
    Path("b.png").write_bytes(b"x")
    project.rows("a\ta.mp4\tfilm", "b\tb.png\tfilm")
    project.config["explore"] = {"grid": {"upscale.outscale": [1, 2]}}
    assert set(project.configuration().cells) == {"a"}
    project.config["explore"]["videos"] = ["b"]
    with pytest.raises(RestorationError, match=r"ingest\.sample: a still image has one frame only"):
        project.configuration()


def test_a_grid_may_give_options_to_networks_that_do_not_know_them(project):
    project.models["mtcnn"] = project.models["small"] | {"task": "detect", "sha256": "5" * 64}
    grid = {"upscale.denoise_strength": [0.1, 1], "upscale.model": ["small", "large"]}
    project.config["explore"] = {"videos": ["a"], "grid": grid}
    assert len(project.configuration().explored) == 4


def test_faces_that_are_not_restored_get_no_label(project):
    project.config["recipes"]["film"]["encode"] = {"face_label": "invented"}
    assert "encode.face_label: no faces are restored" in " ".join(rejected(project))
    project.config["recipes"]["film"] |= {"encode": {}, "copies": {"web": {"face_label": "invented"}}}
    assert "encode.web.face_label: no faces are restored" in " ".join(rejected(project))


def test_what_tells_of_frames_by_their_number_is_for_videos(project):
    Path("faces.tsv").write_text("frame\tx\ty\n3\t10\t10\n")
    project.models |= {"finder": project.models["small"] | {"task": "detect", "sha256": "5" * 64}}
    project.config["recipes"]["film"]["faces"] = {"model": "small", "detector": "finder", "only": "faces.tsv"}
    assert project.configuration().videos["a"].steps["track"]["points"]
    project.config["recipes"]["film"] |= {"ingest": {"sample": "every 1"}, "copies": {"web": {}}}
    project.config["recipes"]["film"]["encode"]["label"] = "AI"
    message = " ".join(rejected(project))
    for said in ("faces.only: is for videos", "encode.label: is for videos", "copies: of single frames"):
        assert said in message


def test_mistakes_in_a_grid_are_those_of_rows(project):
    project.config["explore"] = {"grid": {"colorize.render_factor": [10]}}
    with pytest.raises(RestorationError, match=r"explore.grid: colorize: recipe 'film' has no stage colorize"):
        project.configuration()


@pytest.mark.parametrize("sample", ["every", "every 0", "at", "at 1:99", "shots 0", "some"])
def test_samples_that_mean_nothing(project, sample):
    project.config["recipes"]["film"]["ingest"] = {"sample": sample}
    with pytest.raises(RestorationError, match="sample"):
        project.configuration()


def test_current_intermediates(project):
    configuration = project.configuration()
    key = configuration.key
    assert configuration.current_intermediates() == {
        f"plan.{configuration.plan_key()}.json",
        *(f"{video}/probe.{key(video, 'probe')}.json" for video in "abc"),
        *(f"{video}/timeline.{key(video, 'probe')}.tsv" for video in "abc"),
        *(f"{video}/page.json" for video in "abc"),
        *(f"{video}/frames.{key(video, 'frames')}" for video in "abc"),
        *(f"{video}/upscale.{key(video, 'upscale')}" for video in "ab"),
    }


def place(project, source, sha256=""):
    """Receipt, copy and keys of a video with this source."""
    project.rows(f"a\t{source}\tfilm\t{sha256}", columns="video\tsource\trecipe\tsha256")
    configuration = project.configuration()
    return configuration.receipt("a"), configuration.source("a"), project.keys()


def test_a_local_source_is_read_where_it_is(project):
    receipt, copy, keys = place(project, "12:30.mp4")
    assert (receipt, copy) == (None, Path("12:30.mp4"))
    assert place(project, "12:30.mp4", "a" * 64) == (None, copy, keys), "looking up a SHA-256 computes nothing anew"


def test_a_remote_source_is_read_from_its_copy(project):
    project.config["work"] = "./w/"
    receipt, copy, _ = place(project, "https://h/a%20b.MOV?x=1.avi")
    assert receipt.parent == Path("w/a")
    assert receipt.name.startswith("source.") and receipt.suffix == ".json"
    assert copy == receipt.with_suffix(".MOV")
    names = project.configuration().current_intermediates()
    assert {f"a/{receipt.name}", f"a/{copy.name}"} <= names


def test_what_is_fetched_and_computed_anew(project):
    url, sha256 = "https://h/a.mp4", "a" * 64
    receipt, _, keys = place(project, url)
    assert place(project, url, sha256)[::2] == (receipt, keys), "the copy is asked whether it has it"
    # Signatures change from day to day; without a SHA-256 they could as well name another file.
    assert place(project, f"{url}?id=1")[0] != receipt
    assert place(project, f"{url}?id=1")[0] != place(project, f"{url}?id=2")[0]
    assert place(project, f"{url}?id=1", sha256)[0] == place(project, f"{url}?id=2", sha256)[0]
    assert place(project, f"{url}?id=1")[2] == keys
    other, _, others = place(project, "https://h/b.mp4")
    assert other != receipt
    assert not set(others.items()) & set(keys.items())


def test_the_spec_of_a_remote_source_holds_no_secret(project):
    project.rows("a\thttps://h/a.mp4?signature=SeCrEt\tfilm")
    assert yaml.safe_load(project.configuration().spec("a", "probe"))["source"] == "https://h/a.mp4"


def test_the_plans_name(project):
    def plan():
        return project.configuration().plan_key()

    first = plan()
    project.rows("c\tc.mp4\tcopy", "b\tb.mp4\tfilm", "a\ta.mp4\tfilm")
    project.config["recipes"]["film"]["upscale"]["outscale"] = 3
    assert plan() == first
    project.rows("a\ta.mp4\tfilm", "b\tb.mp4\tfilm")
    second = plan()
    project.config["chunk_frames"] = 100
    third = plan()
    project.rows("a\ta.mp4\tfilm\t1", "b\tb.mp4\tfilm\t", columns="video\tsource\trecipe\tstart")
    assert len({first, second, third, plan()}) == 4


def test_the_fingerprint_sees_size_beginning_and_end(tmp_path):
    path = tmp_path / "a"
    content = bytes(range(256)) * (3 * FINGERPRINT_BYTES // 256)
    variants = [content, content + b"x", b"x" + content[1:], content[:-1] + b"x", content[:100], b""]
    prints = []
    for variant in variants:
        path.write_bytes(variant)
        prints.append(fingerprint(path))
    assert all(a != b for a, b in itertools.combinations(prints, 2))
    # What lies between is not read: that would take hours for an archive.
    path.write_bytes(content[: len(content) // 2] + b"x" + content[len(content) // 2 + 1 :])
    assert fingerprint(path) == prints[0]
    path.write_bytes(content)
    path.rename(tmp_path / "b")
    assert fingerprint(tmp_path / "b") == prints[0]


def test_the_fingerprint_of_what_cannot_be_read_is_no_error(tmp_path):
    assert fingerprint(tmp_path / "nowhere") == "unreadable: No such file or directory"
    assert fingerprint(tmp_path) == "unreadable: Is a directory"


def test_a_part_is_its_share_of_the_manifest(project):
    assert project.configuration().due == ["a", "b", "c"]
    shares, plans = [], set()
    for number in (1, 2):
        project.config["part"] = f"{number}/2"
        configuration = project.configuration()
        shares.append(configuration.due)
        plans.add(configuration.plan_key())
        # What prune must leave alone.
        assert {name.partition("/")[0] for name in configuration.current_intermediates()} > {"a", "b", "c"}
    assert shares == [["a"], ["b", "c"]]
    assert len(plans) == 2
    project.config["part"] = "2/2"
    project.rows("a\ta.mp4\tfilm", "c\tc.mp4\tcopy")
    assert project.configuration().all_weights() == []


@pytest.mark.parametrize("part", ["3/2", "1/4", "0/2", "1", "a/b"])
def test_parts_that_are_none(project, part):
    project.config["part"] = part
    assert rejected(project)[0].startswith("config: part: found")


def test_fused_is_what_faces_follow_at_once(project):
    project.config["models"] = str(ROOT / "config" / "models.yaml")
    upscale = {"upscale": {}}
    project.config["recipes"] = {
        "both": upscale | {"faces": {}},
        "calm": {"upscale": {"stability": 0.5}, "faces": {}},
        "large": upscale,
        "same": {"faces": {}},
    }
    project.rows(*(f"{name}\ta.mp4\t{name}" for name in project.config["recipes"]), "still\ta.png\tcalm")
    apart, keys = project.configuration(), project.keys()
    project.config["fuse"] = True
    fused = project.configuration()
    assert {name for name, video in fused.videos.items() if video.fused} == {"both", "still"}
    assert not any(video.fused for video in apart.videos.values())
    assert project.keys() == keys
    before = {name: apart.videos[name].before("faces") for name in ("both", "calm", "same")}
    assert before == {"both": "upscale", "calm": "settle", "same": "frames"}
    before = {name: fused.videos[name].before("faces") for name in ("both", "calm", "same")}
    assert before == {"both": "frames", "calm": "settle", "same": "frames"}
    unused = {f"{video}/upscale.{keys[video, 'upscale']}" for video in ("both", "still")}
    assert apart.current_intermediates() - fused.current_intermediates() == unused
    # What a frame costs is another thing then.
    assert apart.kind("both") != fused.kind("both")


def test_only_what_networks_touched_is_marked(project):
    steps = {name: video.steps["encode"] for name, video in project.configuration().videos.items()}
    assert {name: encode["mark"] for name, encode in steps.items()} == {"a": True, "b": True, "c": False}
    project.config["recipes"]["film"]["encode"]["mark"] = False
    assert not project.configuration().videos["a"].steps["encode"]["mark"]


def signing(tmp_path):
    for name in ("chain.pem", "key.pem"):
        (tmp_path / name).write_text(name)
    return {"certificate": str(tmp_path / "chain.pem"), "key": str(tmp_path / "key.pem")}


def test_another_certificate_signs_anew_and_another_key_file_does_not(project, tmp_path):
    project.config["recipes"]["film"]["copies"] = {"master": {"container": "mkv", "codec": "ffv1"}}
    project.config["sign"] = signing(tmp_path)
    steps = project.configuration().videos["a"].steps
    assert list(steps)[3:8] == ["encode", "encode.master", "sign.master", "comparison", "provenance"]
    assert "sign" not in steps["encode.master"], "Matroska holds no signature: the file is the same"
    spec = project.configuration().spec("a", "encode")
    assert [claim["stage"] for claim in yaml.safe_load(spec)["claims"]] == ["upscale"]
    assert str(tmp_path) not in project.configuration().spec("a", "provenance")
    (tmp_path / "key.pem").write_text("other")
    assert project.configuration().spec("a", "encode") == spec
    (tmp_path / "chain.pem").write_text("other")
    assert project.configuration().spec("a", "encode") != spec


def test_mistakes_in_signing_are_told_before_anything_starts(project, tmp_path):
    project.config["sign"] = {"certificate": str(tmp_path / "none.pem"), "key": "", "timestamp_url": "ftp://x"}
    found = rejected(project)
    assert any("sign.certificate: " in mistake and "no such file" in mistake for mistake in found)
    assert any("sign.key: " in mistake for mistake in found)
    assert any("sign.timestamp_url" in mistake for mistake in found)
    project.config["sign"] = {"key": "key.pem"}
    assert "certificate" in rejected(project)[0]


def test_a_record_names_no_place(project, tmp_path):
    project.models["small"]["sources"] = [{"file": str(tmp_path / "private" / "small.pth")}]
    project.rows(f"a\t{tmp_path}/a.mp4\tfilm", "b\thttps://x.example/b.mp4?secret\tcopy")
    configuration = project.configuration()
    for video in "ab":
        spec = configuration.spec(video, "provenance")
        assert str(tmp_path) not in spec
        assert "secret" not in spec
    about = yaml.safe_load(configuration.spec("a", "provenance"))
    assert about["rerun"]["models"]["small"]["sources"] == [{"file": "small.pth"}]
    assert [step["step"] for step in about["steps"]] == ["probe", "frames", "upscale", "encode"]
    assert about["rerun"]["recipe"]["film"]["upscale"] == (
        defaults_of("upscale") | {"model": "small", "outscale": 2, "stability": 0}
    )


def test_a_label_is_of_letters_that_there_are(project):
    project.config["recipes"]["film"]["encode"]["label"] = "Restauriert für …"
    (mistake,) = rejected(project)
    assert "recipes.film.encode.label" in mistake
    assert "ASCII" in mistake
