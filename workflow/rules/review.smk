# Needs: a restored video and its source. Gives: pictures and measures to judge it by, and a judgement.
ruleorder: comparison > encode  # a video may be named "comparison"


rule comparison:
    input:
        restored=restored_video,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        stored(f"{RESULTS}/{{video}}/comparison.png"),
    log:
        f"{LOGS}/{{video}}/comparison.log",
    # At each turn Snakemake asks a storage for the inputs of all jobs that wait.
    priority: 1
    conda:
        ENVIRONMENT
    params:
        spec=spec("comparison"),
        source=source,
    message:
        "Comparing {wildcards.video} with its source"
    shell:
        "comparison.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --source={params.source:q} --restored {input.restored:q} {output:q} 2>&1 | tee {log:q}"


rule measure:
    input:
        restored=restored_video,
        probe=ancient(probed),
        timeline=ancient(timeline),
        faces=face_record,
    output:
        table=stored(f"{RESULTS}/{{video}}/{{video}}.measures.tsv"),
        summary=stored(f"{RESULTS}/{{video}}/{{video}}.measures.json"),
    log:
        f"{LOGS}/{{video}}/measure.log",
    priority: 1
    conda:
        ENVIRONMENT
    # Decoding on both sides, and OpenCV, use as many.
    threads: 2
    params:
        spec=spec("measure"),
        source=source,
    message:
        "Measuring {wildcards.video} against its source"
    shell:
        "measure.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --source={params.source:q} --restored {input.restored:q} --faces {input.faces:q} --table {output.table:q}"
        " {output.summary:q} 2>&1 | tee {log:q}"


# Apart from measuring, so that other limits cost nothing; a job that fails, because a video that is beyond its limits
# must be named again by the next run, when nothing else is left to do.
rule judge:
    input:
        stored(f"{RESULTS}/{{video}}/{{video}}.measures.json"),
    output:
        stored(f"{RESULTS}/{{video}}/{{video}}.findings.json"),
    log:
        f"{LOGS}/{{video}}/judge.log",
    priority: 1
    localrule: True
    conda:
        ENVIRONMENT
    params:
        spec=spec("judge"),
    message:
        "Judging the measures of {wildcards.video}"
    shell:
        "judge.py --video {wildcards.video:q} --spec {params.spec:q} --measures {input:q} {output:q} 2>&1 | tee {log:q}"
