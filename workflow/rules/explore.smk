# Needs: frames of videos, restored with every combination of some settings. Gives: sheets that show them side by side;
# and, of videos of which single frames are wanted, these as images.
ruleorder: sheet > encode  # as for `clip`


rule explore:
    input:
        # As in `all`: a missing plan is not missed unless it is asked for.
        f"{WORK}/plan.{EXPLORE_KEY}.json",
        sheets=sheets,
    localrule: True
    message:
        "Compared: {input.sheets}"


rule sheet:
    input:
        cells=cells_after,
        source=cells_before,
        probe=cell_probe,
        timeline=cell_timeline,
        weights=ancient(weights_of("sheet")),
    output:
        page=stored(f"{RESULTS}/{{video}}/{{video}}.explore.html"),
        sheet=stored(f"{RESULTS}/{{video}}/{{video}}.explore.png"),
    log:
        f"{LOGS}/{{video}}/sheet.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=by_attempt(3000),
    params:
        spec=spec("sheet"),
    message:
        "Putting the settings that were tried on {wildcards.video} side by side"
    shell:
        "sheet.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q}"
        " --probe {input.probe:q} --timeline {input.timeline:q} --source {input.source:q} --cells {input.cells:q}"
        " --sheet {output.sheet:q} {output.page:q} 2>&1 | tee {log:q}"


rule images:
    input:
        chunks=chunks_before("images"),
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        # The images lie beside it; it is written last, and names them.
        index=f"{RESULTS}/{{video}}/{{video}}.index.tsv",
        delivery=f"{RESULTS}/{{video}}/{{video}}.index.tsv.delivery.json",
    log:
        f"{LOGS}/{{video}}/images.log",
    conda:
        ENVIRONMENT
    resources:
        # Where to find the frames, not what they are: no reason to write them anew.
        chunk_frames=SETTINGS["chunk_frames"],
    params:
        spec=spec("images"),
        source=source,
    message:
        "Writing single frames of {wildcards.video} as images"
    shell:
        "images.py --video {wildcards.video:q} --spec {params.spec:q}"
        " --probe {input.probe:q} --timeline {input.timeline:q} --source={params.source:q}"
        " --first-chunk {input.chunks[0]:q} --chunk-frames {resources.chunk_frames}"
        " --delivery {output.delivery:q} {output.index:q} 2>&1 | tee {log:q}"
