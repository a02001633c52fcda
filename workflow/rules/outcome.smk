# Needs: common. Gives: which files are due of a video, and what is said of them at the end of a run.


def restored(video):
    """The delivered files of a video, the main one first; of single frames their index."""
    if "images" in CONFIGURATION.videos[video].steps:
        return [f"{RESULTS}/{video}/{video}.index.tsv"]
    return [
        f"{RESULTS}/{video}/{video}{step.removeprefix('encode')}.{settings['container']}"
        for step, settings in CONFIGURATION.videos[video].steps.items()
        if step.startswith("encode")
    ]


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
        pageless = {
            video
            for video in CONFIGURATION.due
            if "page" not in CONFIGURATION.videos[video].steps
        }
        write_index(
            read_summary(folder / "summary.tsv"),
            Path(WORK),
            Path(page),
            pageless=pageless,
        )
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
    recorded = {"faces": "record", "repairs": "repairs"}
    records = [
        f"{RESULTS}/{video}/{video}.{what}.{kind}"
        for what, step in recorded.items()
        for kind in ("json", "mkv")
        if step in steps
    ]
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


REVIEWS = {
    "stages.png": "stages",
    "side-by-side.mp4": "clip",
    "stages.mp4": "clip",
    "wipe.mp4": "clip",
}


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
