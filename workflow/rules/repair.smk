# Needs: chunks of frames, their timeline. Gives: the chunks without what film and projectors did; the record and the mask
# of that, and of what was retouched.
rule examine:
    input:
        chunks=neighbourhood("examine"),
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        f"{WORK}/{{video}}/examine.{{key}}/{{span}}.json",
    log:
        f"{LOGS}/{{video}}/examine.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=by_attempt(2000),
    params:
        spec=spec("examine"),
    message:
        "Examining {wildcards.video} {wildcards.span}"
    shell:
        "examine.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --threads {threads}"
        " --inputs {input.chunks:q} -- {output:q} 2>&1 | tee {log:q}"


rule survey:
    input:
        looks=of_all_chunks("examine", ".json"),
        probe=ancient(probed),
    output:
        f"{WORK}/{{video}}/survey.{{key}}.jsonl",
    log:
        f"{LOGS}/{{video}}/survey.{{key}}.log",
    conda:
        ENVIRONMENT
    resources:
        chunk_frames=SETTINGS["chunk_frames"],
    params:
        spec=spec("survey"),
    message:
        "Surveying the defects of {wildcards.video}"
    shell:
        "survey.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q}"
        " --first-look {input.looks[0]:q} --chunk-frames {resources.chunk_frames} {output:q} 2>&1 | tee {log:q}"


rule repair:
    input:
        chunks=neighbourhood("repair"),
        survey=survey,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        chunk=kept("repair", f"{WORK}/{{video}}/repair.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/repair.{{key}}/{{span}}.hashes",
        mask=kept("repair", f"{WORK}/{{video}}/repair.{{key}}/{{span}}.mask.mkv"),
        mask_hashes=f"{WORK}/{{video}}/repair.{{key}}/{{span}}.mask.hashes",
        entries=f"{WORK}/{{video}}/repair.{{key}}/{{span}}.json",
    log:
        f"{LOGS}/{{video}}/repair.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=by_attempt(3000),
    params:
        spec=spec("repair"),
    message:
        "Repairing {wildcards.video} {wildcards.span}"
    shell:
        "repair.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --survey {input.survey:q} --threads {threads} --mask {output.mask:q} --entries {output.entries:q}"
        " --inputs {input.chunks:q} -- {output.chunk:q} 2>&1 | tee {log:q}"


ruleorder: repairs > encode  # as with the mask of faces


rule repairs:
    input:
        chunks=masks_of_repairs,
        survey=survey,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        record=stored(f"{RESULTS}/{{video}}/{{video}}.repairs.json"),
        mask=stored(f"{RESULTS}/{{video}}/{{video}}.repairs.mkv"),
    log:
        f"{LOGS}/{{video}}/repairs.log",
    conda:
        ENVIRONMENT
    resources:
        chunk_frames=SETTINGS["chunk_frames"],
    params:
        spec=spec("repairs"),
        first_masks=first_chunks,
    message:
        "Recording what was repaired of {wildcards.video}"
    shell:
        "repairs.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --survey {input.survey:q} --chunk-frames {resources.chunk_frames} --mask {output.mask:q}"
        " --first-masks {params.first_masks:q} -- {output.record:q} 2>&1 | tee {log:q}"
