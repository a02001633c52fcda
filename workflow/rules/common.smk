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
from restoration.pipeline.configuration import Configuration
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
from restoration.pipeline.steps import RESTORING_STAGES, USED_UP
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
    form="side-by-side|stages|wipe",


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


def kept_file(video, step, suffix, name=None):
    """What *step* keeps for a whole video, as it is configured now; under the step's name unless it has one of its own."""
    return f"{WORK}/{video}/{name or step}.{CONFIGURATION.key(video, step)}.{suffix}"


def probe_of(video):
    """The probe of a video as it is configured now."""
    return kept_file(video, "probe", "json")


def timeline_of(video):
    """The timeline of a video as it is configured now."""
    return kept_file(video, "probe", "tsv", "timeline")


def chunk_after(video, step, span):
    """One chunk as it leaves *step*."""
    return f"{WORK}/{video}/{step}.{CONFIGURATION.key(video, step)}/{span}.mkv"


@cache
def planned_spans(plan):
    """The chunks of every video; read once, because every video asks."""
    names = json.loads(Path(plan).read_text())
    return {video: [Span.parse(name) for name in names[video]] for video in names}


def spans_of(video):
    """The chunks of a video as they are planned now, once they are."""
    return planned_spans(checkpoints.plan.get(plan=PLAN_OF[video]).output[0])[video]
