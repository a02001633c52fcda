# Needs: a restored video, its source, and all reports on it. Gives: pictures and measures to judge it by, a judgement, and
# the page that shows them.
ruleorder: comparison > encode  # a video may be named "comparison"
ruleorder: clip > encode  # these have the names of copies that nobody can ask for
ruleorder: stages > encode


rule comparison:
    input:
        restored=restored_video,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        report(
            stored(f"{RESULTS}/{{video}}/comparison.png"),
            caption="../report/comparison.rst",
            category="Comparisons",
            labels={"video": "{video}", "kind": "pictures"},
        ),
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
        after_plan(f"{RESULTS}/{{video}}/{{video}}.measures.json"),
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


rule page:
    input:
        restored=restored_video,
        delivery=delivery_report,
        faces=face_record,
        repairs=repair_record,
        measures=stored(f"{RESULTS}/{{video}}/{{video}}.measures.json"),
        table=stored(f"{RESULTS}/{{video}}/{{video}}.measures.tsv"),
        provenance=stored(f"{RESULTS}/{{video}}/{{video}}.provenance.json"),
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        page=report(
            stored(f"{RESULTS}/{{video}}/{{video}}.html"),
            caption="../report/page.rst",
            category="Restoration reports",
            labels={"video": "{video}"},
        ),
        # Here and not in a storage, because the list of all videos is made of them.
        card=f"{WORK}/{{video}}/page.json",
    log:
        f"{LOGS}/{{video}}/page.log",
    priority: 1
    conda:
        ENVIRONMENT
    params:
        spec=spec("page"),
        source=source,
        current=current_steps,
    message:
        "Reporting on {wildcards.video}"
    shell:
        "page.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --source={params.source:q} --restored {input.restored:q} --delivery {input.delivery:q} --faces {input.faces:q}"
        " --repairs {input.repairs:q} --measures {input.measures:q} --table {input.table:q} --provenance {input.provenance:q}"
        " --log {log:q} --current {params.current:q} --card {output.card:q} {output.page:q} 2>&1 | tee {log:q}"


rule clip:
    input:
        restored=restored_video,
        chunks=chunks_of_form,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        report(
            stored(f"{RESULTS}/{{video}}/{{video}}.{{form}}.mp4"),
            caption="../report/clip.rst",
            category="Comparisons",
            labels={"video": "{video}", "kind": "{form}"},
        ),
    log:
        f"{LOGS}/{{video}}/clip.{{form}}.log",
    conda:
        ENVIRONMENT
    # As `encode`.
    threads: 8
    resources:
        # Where to find the frames, not what they are.
        chunk_frames=SETTINGS["chunk_frames"],
    params:
        spec=spec("clip"),
        source=source,
        stages=first_chunks,
    message:
        "Showing {wildcards.video} and its source in one video ({wildcards.form})"
    shell:
        "clip.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --source={params.source:q} --restored {input.restored:q} --form {wildcards.form}"
        " --chunk-frames {resources.chunk_frames} --stages {params.stages:q} -- {output:q} 2>&1 | tee {log:q}"


rule stages:
    input:
        restored=restored_video,
        chunks=kept_chunks,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        report(
            stored(f"{RESULTS}/{{video}}/{{video}}.stages.png"),
            caption="../report/comparison.rst",
            category="Comparisons",
            labels={"video": "{video}", "kind": "stages"},
        ),
    log:
        f"{LOGS}/{{video}}/stages.log",
    conda:
        ENVIRONMENT
    params:
        spec=spec("stages"),
        source=source,
    message:
        "Showing what each stage made of {wildcards.video}"
    shell:
        "stages.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --source={params.source:q} --chunks {input.chunks:q} --restored {input.restored:q} {output:q} 2>&1 | tee {log:q}"


rule review:
    input:
        reviews,
    localrule: True
