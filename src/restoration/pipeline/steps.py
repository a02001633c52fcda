"""What the steps of a video's way are called, and what they have in common."""

STAGES = ("ingest", "repair", "retouch", "clean", "colorize", "upscale", "faces", "encode", "review")
"""The stages that a recipe sets."""
RESTORING_STAGES = ("repair", "retouch", "clean", "colorize", "steer", "stabilize", "upscale", "settle", "faces")
"""Steps between extraction and encoding, in the order in which frames pass them."""
FINDING_STEPS = ("examine", "survey", "hints", "quantize", "detect", "track")
"""Steps that look at frames and pass none on."""
SMALL_STEPS = ("detect", "track")
"""Those that look at frames as they are before upscaling, though they come after it: other faces, same pictures."""
ENLARGING_STEPS = ("upscale", "settle")
"""Those that they do not see, and whose settings do not concern them."""
USED_UP = {"all": (), "small": (*ENLARGING_STEPS, "faces"), "none": ("frames", *RESTORING_STAGES)}
"""By the setting `keep`: the steps whose frames go when nobody needs them any more."""
RECORDED = {"probe", "frames", *RESTORING_STAGES, *FINDING_STEPS, "encode", "sign", "images"}
"""The steps that a record of provenance tells of; others only show what these did."""
HINTS_FILE, FACES_FILE = "hints.yaml", "faces.tsv"
"""What a record of provenance calls the files with what is known of a video's colours and faces."""
STEPS = (
    *("probe", "frames", *RESTORING_STAGES, *FINDING_STEPS, "encode", "sign", "comparison", "record", "repairs"),
    *("provenance", "measure", "judge", "page", "stages", "clip", "images", "sheet"),
)
"""Every step of a video's way; each has a rule and a script of its name."""
