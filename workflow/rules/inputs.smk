# Needs: common, outcome. Gives: the functions by which rules find their inputs and parameters.


def probed(wildcards):
    """Input function: the probe of a video."""
    return probe_of(wildcards.video)


def timeline(wildcards):
    """Input function: the timeline of a video."""
    return timeline_of(wildcards.video)


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
    return kept_file(wildcards.video, "quantize", "openvino")


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


def signer(what):
    """Params function: the file with the certificate, or the key, of signatures, if they are asked for. A path, because
    what of it matters is in the spec."""
    return lambda wildcards: (
        [Path(CONFIGURATION.signing[what])] if CONFIGURATION.signing[what] else []
    )


def delivered(wildcards):
    """Input function: all that provenance vouches for."""
    # As `after_plan`.
    spans_of(wildcards.video)
    return [stored(file) for file in deliveries(wildcards.video)]


def restored_video(wildcards):
    """Input function: the main delivered file of a video."""
    return after_plan(restored(wildcards.video)[0])(wildcards)


def after_plan(file):
    """Input function: a *file* with wildcards among the results, once the plan is made.

    Before, Snakemake takes every encode, and all behind it, for due; only who waits for the plan, too, is thought over
    after it.
    """

    def wait_for_plan(wildcards):
        spans_of(wildcards.video)
        return stored(file.format(**wildcards))

    return wait_for_plan


def delivery_report(wildcards):
    """Input function: the report on the main delivered file of a video."""
    return stored(f"{restored(wildcards.video)[0]}.delivery.json")


def face_record(wildcards):
    """Input function: the record of a video's faces, if they are restored."""
    has_faces = "faces" in CONFIGURATION.videos[wildcards.video].steps
    return (
        [stored(f"{RESULTS}/{wildcards.video}/{wildcards.video}.faces.json")]
        if has_faces
        else []
    )


def repair_record(wildcards):
    """Input function: the record of a video's repairs, if there is one."""
    is_repaired = "repairs" in CONFIGURATION.videos[wildcards.video].steps
    return (
        [stored(f"{RESULTS}/{wildcards.video}/{wildcards.video}.repairs.json")]
        if is_repaired
        else []
    )


def labelled_faces(wildcards):
    """Input function: the record of a video's faces where an encode labels them."""
    # Of the mask of faces, too, Snakemake asks whether it is a variant.
    steps = CONFIGURATION.videos[wildcards.video].steps
    settings = steps.get(f"encode{wildcards.variant}", {})
    return face_record(wildcards) if settings.get("face_label") else []


def current_steps(wildcards):
    """Params function: STEP.KEY of all that makes a video, by which logs of other settings are told from its own."""
    video = wildcards.video
    steps = takewhile(lambda step: step != "page", CONFIGURATION.videos[video].steps)
    return [f"{step}.{CONFIGURATION.key(video, step)}" for step in steps]


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
    return probe_of(cell_names(wildcards.video)[0])


def cell_timeline(wildcards):
    """Input function: the timeline that goes with it."""
    return timeline_of(cell_names(wildcards.video)[0])


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
        for step in lasting_stages(wildcards.video)
        for span in dict.fromkeys(shown)
    ]


def lasting_stages(video):
    """The stages of a video whose chunks stay."""
    passed = CONFIGURATION.videos[video]
    return [
        step
        for step in RESTORING_STAGES
        if step in passed.steps and step not in USED_UP[SETTINGS["keep"]]
        if not (step == "upscale" and passed.fused)
    ]


def chunks_of_form(wildcards):
    """Input function: all frames that a clip of this form shows beside source and result."""
    spans = spans_of(wildcards.video)
    steps = lasting_stages(wildcards.video) if wildcards.form == "stages" else []
    return [
        chunk_after(wildcards.video, step, span) for step in steps for span in spans
    ]


def first_chunks(wildcards, input):
    """Params function: of these the first after each stage, whose place tells where the others are."""
    return [chunk for chunk in input.chunks if Path(chunk).name.startswith(f"{0:07d}-")]


def survey(wildcards):
    """What a video's shots suffer from, as it is configured now; nothing of frames that are repaired each alone."""
    passes = "survey" in CONFIGURATION.videos[wildcards.video].steps
    return kept_file(wildcards.video, "survey", "jsonl") if passes else []


def masks_of_repairs(wildcards):
    """Input function: where each chunk of a video was repaired, and where it was retouched."""
    steps = CONFIGURATION.videos[wildcards.video].steps["repairs"]["settings"]
    files = [of_all_chunks(step, ".mask.mkv")(wildcards) for step in steps]
    return files[0] if isinstance(files[0], str) else sum(files, [])


def tracks(wildcards):
    """The faces of a video and what the network makes of them, as it is configured now."""
    return kept_file(wildcards.video, "track", "json")


def hints(wildcards):
    """How the colours of a video are steered, as it is configured now."""
    return kept_file(wildcards.video, "hints", "json")


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
    return [probe_of(video) for video in PLANNED[plan]]


def planned_weights(wildcards):
    """Input function: the weights of every planned video."""
    return CONFIGURATION.all_weights(PLANNED[wildcards.plan])
