"""Restores the videos of the manifest. The whole workflow at a glance; README.md tells how to use it."""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/outcome.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/weights.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/repair.smk"
include: "workflow/rules/retouch.smk"
include: "workflow/rules/clean.smk"
include: "workflow/rules/colorize.smk"
include: "workflow/rules/upscale.smk"
include: "workflow/rules/faces.smk"
include: "workflow/rules/deliver.smk"
include: "workflow/rules/review.smk"
include: "workflow/rules/explore.smk"
include: "workflow/rules/provenance.smk"
include: "workflow/rules/forecast.smk"
include: "workflow/rules/housekeeping.smk"


rule all:
    default_target: True
    input:
        MARK,
        # Asked for by name: Snakemake does not miss a missing plan, and without one looks no further.
        PLAN,
        [stored(file) for file in ALL_RESULTS],
    localrule: True


onsuccess:
    summarize()
    require_results()


onerror:
    summarize()
