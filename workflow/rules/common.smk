# Needs: config and manifest. Gives: the checked configuration and the helpers by which rules find their files.
import asyncio
import json
import os
import sys
from functools import cache
from itertools import takewhile
from pathlib import Path

# The library of this checkout, installed or not.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from snakemake.exceptions import WorkflowError
from snakemake.io import IOCache, flag, is_flagged
from snakemake.jobs import Job
from snakemake.persistence import PersistenceBase

from restoration.engines.lease import JOBS_PER_GPU
from restoration.errors import RestorationError
from restoration.files import SCRATCH
from restoration.media.remote import is_remote, retrieve
from restoration.media.timeline import Timeline
from restoration.pipeline.configuration import RESTORING_STAGES, USED_UP, Configuration
from restoration.pipeline.flight import remember
from restoration.pipeline.forecast import (
    Calibration,
    forecast,
    sample_spans,
    write_forecast,
)
from restoration.pipeline.job import put_on_path
from restoration.pipeline.plan import NEIGHBOURS, Span, spread, write_plan
from restoration.pipeline.prune import prune
from restoration.pipeline.summary import outcomes, read_summary, write_summary
from restoration.review.index import write_index
from restoration.review.moments import moments

WORKFLOW = Path(workflow.basedir) / "workflow"
put_on_path(WORKFLOW / "scripts")

try:
    CONFIGURATION = Configuration(config, WORKFLOW)
    # Those of the command line, which Snakemake lists first, have the last word.
    named = workflow.config_settings.configfiles
    files = [file for file in workflow.configfiles if file not in named]
    remember([*files, *named], workflow.config_settings.config, CONFIGURATION)
except RestorationError as error:
    raise WorkflowError(str(error)) from None

for notice in CONFIGURATION.notices(CONFIGURATION.due):
    print(notice, file=sys.stderr)

SETTINGS = CONFIGURATION.settings
os.environ[JOBS_PER_GPU] = str(SETTINGS["jobs_per_gpu"])
os.environ[SCRATCH] = SETTINGS["scratch"]
WORK, RESULTS = SETTINGS["work"], SETTINGS["results"]
LOGS, WEIGHTS = SETTINGS["logs"], SETTINGS["weights"]
# Each AI job asks for one GPU, which `--profile gpu` limits; asked to run on the CPU, for none.
GPU = 0 if SETTINGS["device"] == "cpu" else 1
if workflow.nodes is not None:
    # `cores: all` of profiles/default counts the cores of this machine: no bound for the threads of jobs on others.
    workflow.resource_settings.cores = workflow.global_resources["_cores"] = None
# Used with --sdm conda only.
ENVIRONMENT = str(WORKFLOW.parent / "environment.yml")
# What is planned together, by the plan's key: the manifest, or this part of it, and what `explore` makes of it.
PLAN_KEY = CONFIGURATION.plan_key()
EXPLORE_KEY = CONFIGURATION.plan_key(CONFIGURATION.explored)
PLANNED = {EXPLORE_KEY: CONFIGURATION.explored, PLAN_KEY: CONFIGURATION.due}
PLAN_OF = {video: key for key, videos in PLANNED.items() for video in videos}
PLAN = f"{WORK}/plan.{PLAN_KEY}.json"


wildcard_constraints:
    video="[A-Za-z0-9][A-Za-z0-9._-]*",
    model=r"[\w.+-]+",
    key="[0-9a-f]{10}",
    plan="[0-9a-f]{10}",
    span=Span.PATTERN,
    variant=r"(\.[a-z][a-z0-9-]*)?",
    container="mp4|mkv|mov|png|jpg|tif",
    form="side-by-side|wipe",


async def keep_output(job):
    """Instead of deleting what a job is about to make again: the run of another user may be reading just that.

    Nothing is lost by it, because all files come whole and by renaming. In S3 it would leave a time without a result,
    and might delete the bucket.
    """


Job.remove_existing_output = keep_output


def by_setting(files):
    """Mark inputs that `fuse` chooses, which changes no result: other ones are no reason to compute it anew."""
    return flag(files, "by_setting")


def lasting_inputs(persistence, job, all_inputs=PersistenceBase._input):
    """What Snakemake notes of a job's inputs, to see at the next call whether they are others: not those so marked."""
    return [
        file
        for file in all_inputs(persistence, job)
        if not is_flagged(file, "by_setting")
    ]


PersistenceBase._input = lasting_inputs


def stored(file):
    """One of the results for Snakemake; a URL for the storage plugin that knows it, with the user's options for it."""
    return storage(file) if is_remote(file) else file


def require_storage(mark):
    """Raise before hours of work where *mark* is to go to a storage that is not there or not open for us.

    S3's plugin would make a bucket of any name.
    """
    remote = mark.flags["storage_object"]
    try:
        reason = "there is no such bucket, or it is not yours to see"
        there = remote.exists() or getattr(remote, "bucket_exists", lambda: True)()
    except Exception as error:
        there, reason = False, error
    if not there:
        raise WorkflowError(
            f"config: results: {RESULTS}: {reason}. Check name and access; docs/storage.md tells how to give it"
        )


# Of results that are stored elsewhere, where they are on their way there.
RESULTS_HERE = Path(RESULTS)
MARK = []
if is_remote(RESULTS):
    try:
        # A listing of its folder, which Snakemake and we ask for, tells of all results at once, instead of each alone.
        MARK = [stored(f"{RESULTS}/.restoration")]
    except WorkflowError:
        raise WorkflowError(
            f"config: results: no storage plugin for {RESULTS} is installed. Name a folder or s3://bucket/folder, or "
            "pip install the plugin for it"
        ) from None
    RESULTS_HERE = Path(MARK[0]).parent
    if workflow.is_main_process:
        require_storage(MARK[0])


def require_current(wildcards, step, current):
    """Jobs may read the configuration anew: they must not write new results under the old name."""
    if getattr(wildcards, "key", current) != current:
        raise WorkflowError(
            f"{wildcards.video}: settings, weights or code of {step} changed while the run was in flight "
            f"({wildcards.key} became {current}). Run the same command again: finished chunks are kept."
        )


def spec(step):
    """Params function: everything that may change the bytes that *step* writes, as canonical JSON."""

    def lookup_spec(wildcards):
        name = step + getattr(wildcards, "variant", "")
        require_current(wildcards, step, CONFIGURATION.key(wildcards.video, name))
        return CONFIGURATION.spec(wildcards.video, name)

    return lookup_spec


def kept(step, chunk):
    """An output of *step* that goes away when it is used up, if `keep` says so.

    Not its list of hashes, which is small and found by the chunk's name: no rule asks for it, so it would go at once.
    """
    return temp(chunk) if step in USED_UP[SETTINGS["keep"]] else chunk


def by_attempt(mem_mb):
    """Resource function: so much memory, and as much again at each further attempt of `retries`."""
    return lambda wildcards, attempt: mem_mb * attempt


def probed(wildcards):
    """The probe of a video as it is configured now."""
    return f"{WORK}/{wildcards.video}/probe.{CONFIGURATION.key(wildcards.video, 'probe')}.json"


def timeline(wildcards):
    """The timeline of a video as it is configured now."""
    return f"{WORK}/{wildcards.video}/timeline.{CONFIGURATION.key(wildcards.video, 'probe')}.tsv"


def chunk_after(video, step, span):
    """One chunk as it leaves *step*."""
    return f"{WORK}/{video}/{step}.{CONFIGURATION.key(video, step)}/{span}.mkv"


def chunk_before(step):
    """Input function: the chunk that *step* restores."""

    def previous_chunk(wildcards):
        return chunk_after(
            wildcards.video,
            CONFIGURATION.videos[wildcards.video].before(step),
            wildcards.span,
        )

    return previous_chunk


def neighbourhood(step):
    """Input function: the chunk that *step* restores, and those that hold its neighbouring frames."""

    def near_chunks(wildcards):
        span = Span.parse(wildcards.span)
        spans = spans_of(wildcards.video)
        previous = CONFIGURATION.videos[wildcards.video].before(step)
        return [
            chunk_after(wildcards.video, previous, near)
            for near in spans
            if near.last >= span.first - NEIGHBOURS
            and near.first <= span.last + NEIGHBOURS
        ]

    return near_chunks


def weights_of(step):
    """Input function: the weights that a video's *step* uses."""

    def lookup_weights(wildcards):
        models = CONFIGURATION.videos[wildcards.video].models(step)
        return [CONFIGURATION.networks.weights(model) for model in models]

    return lookup_weights


def if_fused(files):
    """Input function: *files* of the step upscale where the job that restores a video's faces does it, with `fuse`."""

    def lookup_files(wildcards):
        return files(wildcards) if CONFIGURATION.videos[wildcards.video].fused else []

    return lookup_files


def spec_of_upscaling(wildcards):
    """Params function: the spec of the step upscale, if a video passes it; the same with `fuse` and without."""
    passes = "upscale" in CONFIGURATION.videos[wildcards.video].steps
    return CONFIGURATION.spec(wildcards.video, "upscale") if passes else "{}"


def quantized(wildcards):
    """Input function: the network that is fitted to a video which is upscaled in int8. Not ancient: see `plan`."""
    if "quantize" not in CONFIGURATION.videos[wildcards.video].steps:
        return []
    key = CONFIGURATION.key(wildcards.video, "quantize")
    return f"{WORK}/{wildcards.video}/quantize.{key}.openvino"


def own_file(wildcards):
    """Params function: the file that a recipe names instead of a registered model, as JSON; {} for the latter."""
    return json.dumps(
        CONFIGURATION.networks.own.get(wildcards.model, {}), sort_keys=True
    )


def source(wildcards):
    """Params function: where a video's source lies; of a remote one, its local copy.

    A Path and no str, because Snakemake leaves paths out when it asks whether params changed: a video that was moved is
    the same video. What tells one source from another is in the probe's spec.
    """
    return CONFIGURATION.source(wildcards.video)


def source_if_there(wildcards):
    """A local source as an input, for its mtime; without one its content alone tells whether it changed.

    One that is missing must fail its own video only, so the probe reports it. Braces in a name would be wildcards.
    """
    path = source(wildcards)
    remote = CONFIGURATION.receipt(wildcards.video)
    return [] if remote or not path.exists() or "{" in str(path) else [str(path)]


def receipt(wildcards):
    """The note on how a remote source was fetched, as an input; nothing for a local one."""
    found = CONFIGURATION.receipt(wildcards.video)
    return [f"{WORK}/{found.parent.name}/{found.name}"] if found else []


def copy_to_fetch(wildcards):
    """Params function: where a remote source is to be put, beside the receipt that is asked for."""
    path = source(wildcards)
    require_current(wildcards, "retrieve", path.stem.removeprefix("source."))
    return path


def fetch(video, receipt, media):
    """Bring a remote source by the storage plugin that knows its address, with the options that the user gave it.

    It is no input, for which Snakemake would ask every server at every call, and stop at the first that is silent.
    """
    remote = storage(video.source).flags["storage_object"]
    retrieve(remote, video.source, receipt, media, video.promised)


def promised(wildcards):
    """Params function: the bytes and sha256 that the manifest tells of a source, as JSON.

    Not in the spec, because looking them up later is no reason to compute anything anew.
    """
    return json.dumps(CONFIGURATION.videos[wildcards.video].promised, sort_keys=True)


def promised_sha256(wildcards):
    """Params function: which file a remote source must be, if the manifest tells."""
    return CONFIGURATION.videos[wildcards.video].promised.get("sha256", "")


def restored(video):
    """The delivered files of a video, the main one first; of single frames their index."""
    if "images" in CONFIGURATION.videos[video].steps:
        return [f"{RESULTS}/{video}/{video}.index.tsv"]
    return [
        f"{RESULTS}/{video}/{video}{step.removeprefix('encode')}.{settings['container']}"
        for step, settings in CONFIGURATION.videos[video].steps.items()
        if step.startswith("encode")
    ]


def signer(what):
    """Params function: the file with the certificate, or the key, of signatures, if they are asked for. A path, because
    what of it matters is in the spec."""
    return lambda wildcards: (
        [Path(CONFIGURATION.signing[what])] if CONFIGURATION.signing[what] else []
    )


def delivered(wildcards):
    """Input function: all that provenance vouches for."""
    # As for `restored_video`.
    spans_of(wildcards.video)
    return [stored(file) for file in deliveries(wildcards.video)]


def at_hand(video):
    """The record of provenance of a video, and beside it, brought here if it lies elsewhere, all that it vouches for."""
    record = f"{RESULTS}/{video}/{video}.provenance.json"
    if is_remote(RESULTS):
        for file in [*deliveries(video), record]:
            remote = storage(file).flags["storage_object"]
            here = Path(remote.local_path())
            here.unlink(missing_ok=True)
            here.parent.mkdir(parents=True, exist_ok=True)
            if remote.exists():
                remote.retrieve_object()
    return RESULTS_HERE / video / Path(record).name


def restored_video(wildcards):
    """Input function: the main delivered file of a video."""
    # Before planning Snakemake takes every encode for due; only who waits for the plan, too, is thought over after it.
    spans_of(wildcards.video)
    return stored(restored(wildcards.video)[0])


def delivery_report(wildcards):
    """Input function: the report on the main delivered file of a video."""
    return stored(f"{restored(wildcards.video)[0]}.delivery.json")


def face_record(wildcards):
    """Input function: the record of a video's faces, if they are restored."""
    return [stored(file) for file in face_records(wildcards.video)]


def face_records(video):
    """The record of a video's faces, if they are restored."""
    has_faces = "faces" in CONFIGURATION.videos[video].steps
    return [f"{RESULTS}/{video}/{video}.faces.json"] if has_faces else []


def current_steps(wildcards):
    """Params function: STEP.KEY of all that makes a video, by which logs of other settings are told from its own."""
    video = wildcards.video
    steps = takewhile(lambda step: step != "page", CONFIGURATION.videos[video].steps)
    return [f"{step}.{CONFIGURATION.key(video, step)}" for step in steps]


@cache
def planned_spans(plan):
    """The chunks of every video; read once, because every video asks."""
    names = json.loads(Path(plan).read_text())
    return {video: [Span.parse(name) for name in names[video]] for video in names}


def spans_of(video):
    """The chunks of a video as they are planned now, once they are."""
    return planned_spans(checkpoints.plan.get(plan=PLAN_OF[video]).output[0])[video]


def chunks_before(step):
    """Input function: all chunks that *step* takes in, as the plan cuts them, or the job that says why there are none."""

    def all_chunks(wildcards):
        last = CONFIGURATION.videos[wildcards.video].before(step)
        return of_all_chunks(last, ".mkv")(wildcards)

    return all_chunks


def some_chunks_before(step):
    """Input function: a few of the chunks that *step* takes in."""

    def some_chunks(wildcards):
        return spread(collect("{file}", file=chunks_before(step)(wildcards)), 4)

    return some_chunks


def of_all_chunks(step, suffix):
    """Input function: what *step* writes, with this *suffix*, for each chunk of a video."""

    def files(wildcards):
        key = CONFIGURATION.key(wildcards.video, step)
        return [
            f"{WORK}/{wildcards.video}/{step}.{key}/{span}{suffix}"
            for span in spans_of(wildcards.video)
        ] or f"{WORK}/{wildcards.video}/unreadable"

    return files


def sheets(wildcards):
    """Input function: the pages on which `explore` compares settings."""
    if not CONFIGURATION.explored:
        raise WorkflowError(
            "config: explore.grid: there is nothing to compare. Name settings and their values, such as "
            "{colorize.render_factor: [14, 21, 35]}; docs/explore.md tells more"
        )
    for notice in CONFIGURATION.notices(CONFIGURATION.explored):
        print(notice, file=sys.stderr)
    return [
        stored(f"{RESULTS}/{video}/{video}.explore.html")
        for video in CONFIGURATION.cells
    ]


def cells_after(wildcards):
    """Input function: what the cells of a video's grid become, chunk by chunk, cell by cell."""
    return [
        chunk_after(name, CONFIGURATION.videos[name].before("images"), span)
        for name in cell_names(wildcards.video)
        for span in spans_of(name)
    ] or f"{WORK}/{cell_names(wildcards.video)[0]}/unreadable"


def cells_before(wildcards):
    """Input function: the frames that all cells of a video restore, as they are in the first."""
    name = cell_names(wildcards.video)[0]
    return [chunk_after(name, "frames", span) for span in spans_of(name)]


def cell_probe(wildcards):
    """Input function: the probe of the first cell of a video's grid; those of the others tell the same."""
    name = cell_names(wildcards.video)[0]
    return f"{WORK}/{name}/probe.{CONFIGURATION.key(name, 'probe')}.json"


def cell_timeline(wildcards):
    """Input function: the timeline that goes with it."""
    name = cell_names(wildcards.video)[0]
    return f"{WORK}/{name}/timeline.{CONFIGURATION.key(name, 'probe')}.tsv"


def cell_names(video):
    """The cells of a video's grid, as videos."""
    return [cell.row.video for cell in CONFIGURATION.cells[video]]


def kept_chunks(wildcards):
    """Input function: the frames that pictures show, as they leave each stage whose chunks stay.

    Others would have to be made again for this alone.
    """
    video = CONFIGURATION.videos[wildcards.video]
    spans = spans_of(wildcards.video)
    if not spans:
        return f"{WORK}/{wildcards.video}/unreadable"
    times = Timeline.read(Path(timeline(wildcards)))
    shown = [
        next(span for span in spans if span.first <= frame <= span.last)
        for frame in moments(times, video.steps["stages"]["stills"])
    ]
    return [
        chunk_after(wildcards.video, step, span)
        for step in RESTORING_STAGES
        if step in video.steps and step not in USED_UP[SETTINGS["keep"]]
        if not (step == "upscale" and video.fused)
        for span in dict.fromkeys(shown)
    ]


def tracks(wildcards):
    """The faces of a video and what the network makes of them, as it is configured now."""
    return f"{WORK}/{wildcards.video}/track.{CONFIGURATION.key(wildcards.video, 'track')}.json"


def face_record(wildcards):
    """Input function: the record of a video's faces, where they are restored."""
    video = wildcards.video
    has_faces = "faces" in CONFIGURATION.videos[video].steps
    return stored(f"{RESULTS}/{video}/{video}.faces.json") if has_faces else []


def hints(wildcards):
    """How the colours of a video are steered, as it is configured now."""
    return f"{WORK}/{wildcards.video}/hints.{CONFIGURATION.key(wildcards.video, 'hints')}.json"


def reference_images(wildcards):
    """Params function: the reference images of a video. Paths, because their content is in the spec."""
    return CONFIGURATION.videos[wildcards.video].hints.images()


def all_probes(wildcards):
    """Input function: the probe of every planned video; asked only for a plan, because it looks at every source."""
    return probes_of(wildcards.plan)


def due_probes(wildcards):
    """Input function: the probe of every video that is due."""
    return probes_of(PLAN_KEY)


def probes_of(plan):
    """The probe of every video of a plan."""
    return [
        f"{WORK}/{video}/probe.{CONFIGURATION.key(video, 'probe')}.json"
        for video in PLANNED[plan]
    ]


def planned_weights(wildcards):
    """Input function: the weights of every planned video."""
    return CONFIGURATION.all_weights(PLANNED[wildcards.plan])


@cache
def listed():
    """What the storage of the results tells by the way; to be asked once all jobs ended."""
    cache = IOCache(0)
    for mark in MARK:
        asyncio.run(mark.flags["storage_object"].inventory(cache))
    return cache.mtime


@cache
def made(file):
    """When one of the results was made, in nanoseconds, or None where it is missing; to be asked once all jobs ended."""
    if not is_remote(file):
        return Path(file).stat().st_mtime_ns if Path(file).exists() else None
    remote = storage(file).flags["storage_object"]
    if found := listed().get(remote.cache_key()):
        return int(found.storage() * 1e9)
    return int(remote.mtime() * 1e9) if remote.exists() else None


@cache
def kind_of(video):
    """Hash of what decides how long a frame of a video takes."""
    return CONFIGURATION.kind(video)


def specimens():
    """For each kind of videos the longest that can be read, and how many frames it has."""
    plan = planned_spans(checkpoints.plan.get(plan=PLAN_KEY).output[0])
    frames = {video: plan[video][-1].last + 1 for video in plan if plan[video]}
    by_length = sorted(frames, key=frames.__getitem__)
    return {kind_of(video): (video, frames[video]) for video in by_length}


def calibrations(wildcards):
    """Input function: what a forecast must know of each kind of videos."""
    return [f"{WORK}/.forecast/{kind}.json" for kind in specimens()]


def probe_of_kind(wildcards):
    """Input function: the probe of the video that stands for its kind."""
    video, _ = specimens()[wildcards.key]
    return f"{WORK}/{video}/probe.{CONFIGURATION.key(video, 'probe')}.json"


def samples_of_kind(wildcards):
    """Input function: two runs of frames of the video that stands for its kind."""
    video, frames = specimens()[wildcards.key]
    spans = sample_spans(frames, fast=SETTINGS["device"] != "cpu")
    return [chunk_after(video, "frames", span) for span in spans]


def sample_settings(wildcards):
    """Params function: the configuration by which samples of a kind are restored, as JSON; the same for all videos."""
    return json.dumps(CONFIGURATION.sample(any_of_kind(wildcards.key)), sort_keys=True)


def flag_of_stills(wildcards):
    """Params function: what tells `calibrate.py` that a kind is one of still images."""
    is_still = CONFIGURATION.restores_a_still(any_of_kind(wildcards.key))
    return "--still" if is_still else ""


def any_of_kind(kind):
    """A video of this kind, whichever; jobs of a cluster know no plan."""
    return next(video for video in CONFIGURATION.due if kind_of(video) == kind)


def tell_forecast(calibrations, target):
    """Say what all videos of this run will cost."""
    known = {Path(file).stem: Calibration.read(Path(file)) for file in calibrations}
    probes = dict(zip(CONFIGURATION.due, map(Path, probes_of(PLAN_KEY)), strict=True))
    plan = planned_spans(PLAN)
    unreadable = [video for video in probes if not plan[video]]
    readable = {video: probes[video] for video in probes if plan[video]}
    rows = forecast(
        readable,
        {video: known[kind_of(video)] for video in readable},
        longest=SETTINGS["chunk_frames"],
        keep=SETTINGS["keep"],
    )
    print(write_forecast(rows, target, unreadable=unreadable), file=sys.stderr)


def is_of_everything():
    """Whether this run was asked for everything."""
    settings = workflow.dag_settings
    return not (
        settings.targets or settings.until or settings.omit_from or settings.batch
    )


def summarize():
    """Say what became of every video."""
    if is_of_everything():
        current = CONFIGURATION.current_intermediates(CONFIGURATION.due)
        due = {
            video: [made(file) for file in files] for video, files in RESULTS_OF.items()
        }
        rows = outcomes(due, Path(LOGS), current)
        # It names logs, which are local; so is it where the results are not.
        folder = Path(LOGS if is_remote(RESULTS) else RESULTS)
        print(write_summary(rows, folder / "summary.tsv"), file=sys.stderr)
        page = stored(f"{RESULTS}/index.html")
        write_index(read_summary(folder / "summary.tsv"), Path(WORK), Path(page))
        if is_remote(RESULTS):
            asyncio.run(page.flags["storage_object"].managed_store())
            # Snakemake clears up what jobs put there only.
            Path(page).unlink()


def require_results():
    """Raise where a run of everything ends well and something is missing: the exit code must not say otherwise."""
    if not is_of_everything():
        return
    if missing := [file for file in ALL_RESULTS if made(file) is None]:
        raise WorkflowError(
            f"the run ended without {', '.join(missing)}. Run the same command again, and please report this."
        )


def deliveries(video):
    """The files of a video that are more than a view of others: restored ones, signatures, reports, records."""
    files, steps = restored(video), CONFIGURATION.videos[video].steps
    signed = [
        f"{RESULTS}/{video}/{video}{step.removeprefix('sign')}.mkv.c2pa"
        for step in steps
        if step.startswith("sign")
    ]
    kinds = ("json", "mkv") if "faces" in steps else ()
    records = [f"{RESULTS}/{video}/{video}.faces.{kind}" for kind in kinds]
    return [*files, *(f"{file}.delivery.json" for file in files), *signed, *records]


def results_of(video):
    """All files that are due of a video."""
    records = ("provenance.json", "premis.xml", "prov.jsonld")
    views = ("html", "measures.tsv", "measures.json", "findings.json")
    is_video = "comparison" in CONFIGURATION.videos[video].steps
    return [
        *deliveries(video),
        *(
            f"{RESULTS}/{video}/{video}.{kind}"
            for kind in (*records, *(views if is_video else ()))
        ),
        *([f"{RESULTS}/{video}/comparison.png"] if is_video else []),
    ]


REVIEWS = {"stages.png": "stages", "side-by-side.mp4": "clip", "wipe.mp4": "clip"}


def reviews(wildcards):
    """Input function: what shows how all videos became what they are. Nothing moves in single frames."""
    return [
        stored(f"{RESULTS}/{video}/{video}.{kind}")
        for video in CONFIGURATION.due
        for kind, step in REVIEWS.items()
        if step in CONFIGURATION.videos[video].steps
    ]


RESULTS_OF = {video: results_of(video) for video in CONFIGURATION.due}
ALL_RESULTS = [file for files in RESULTS_OF.values() for file in files]
