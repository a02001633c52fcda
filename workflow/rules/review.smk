# Needs: a restored video, its source, and all reports on it. Gives: pictures to judge it by, and the page that shows them.
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


rule page:
    input:
        restored=restored_video,
        delivery=delivery_report,
        faces=face_record,
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
        " --log {log:q} --current {params.current:q} --card {output.card:q} {output.page:q} 2>&1 | tee {log:q}"


rule clip:
    input:
        restored=restored_video,
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
    params:
        spec=spec("clip"),
        source=source,
    message:
        "Showing {wildcards.video} and its source in one video ({wildcards.form})"
    shell:
        "clip.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --source={params.source:q} --restored {input.restored:q} --form {wildcards.form} {output:q} 2>&1 | tee {log:q}"


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
