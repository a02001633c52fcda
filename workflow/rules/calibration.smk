# Needs: common. Gives: the functions of `forecast`: which video stands for which, and what all will cost.


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
    return probe_of(video)


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
