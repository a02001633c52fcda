# Needs: sources. Gives: probe and timeline per video, the plan of all chunks, and the chunks of source frames.
rule retrieve:
    output:
        # The source itself is no output: a dead link gives a receipt that says so, and no file.
        f"{WORK}/{{video}}/source.{{key}}.json",
    log:
        f"{LOGS}/{{video}}/retrieve.{{key}}.log",
    # Cluster nodes often have no network; the login node does.
    localrule: True
    params:
        media=copy_to_fetch,
        # Another one asks for another file.
        sha256=promised_sha256,
    message:
        "Fetching the source of {wildcards.video}"
    run:
        fetch(CONFIGURATION.videos[wildcards.video], Path(output[0]), params.media)


rule probe:
    input:
        source=source_if_there,
        receipt=receipt,
    output:
        probe=f"{WORK}/{{video}}/probe.{{key}}.json",
        timeline=f"{WORK}/{{video}}/timeline.{{key}}.tsv",
    log:
        f"{LOGS}/{{video}}/probe.{{key}}.log",
    conda:
        ENVIRONMENT
    threads: 2
    params:
        spec=spec("probe"),
        source=source,
        promised=promised,
    message:
        "Probing {wildcards.video}"
    shell:
        "probe.py --video {wildcards.video:q} --spec {params.spec:q} --source={params.source:q}"
        " --promised {params.promised:q} --receipt {input.receipt:q}"
        " --timeline {output.timeline:q} {output.probe:q} 2>&1 | tee {log:q}"


# One checkpoint for the whole manifest: one for each video would cost more than quadratic time.
checkpoint plan:
    # Not a shell command: the list of probes can be longer than a command line may be.
    input:
        probes=all_probes,
        # Everything that is ancient() for others passes here: of a job that is not done though its file is there,
        # Snakemake takes all that is behind it for done, and ends.
        weights=planned_weights,
    output:
        f"{WORK}/plan.{{plan}}.json",
    log:
        f"{LOGS}/plan.{{plan}}.log",
    localrule: True
    message:
        "Planning chunks"
    run:
        write_plan(input.probes, Path(output[0]), SETTINGS["chunk_frames"])


rule frames:
    input:
        probe=probed,
        timeline=ancient(timeline),
    output:
        chunk=kept("frames", f"{WORK}/{{video}}/frames.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/frames.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/frames.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: 2
    params:
        spec=spec("frames"),
        source=source,
    message:
        "Extracting {wildcards.video} {wildcards.span}"
    shell:
        "frames.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --source={params.source:q} {output.chunk:q} 2>&1 | tee {log:q}"


rule unreadable:
    input:
        probe=probed,
        receipt=receipt,
    output:
        # Never written: the job says what is wrong with the source and fails.
        touch(f"{WORK}/{{video}}/unreadable"),
    log:
        f"{LOGS}/{{video}}/unreadable.log",
    # The first time it takes the probe away.
    retries: 0
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "{wildcards.video} cannot be read"
    shell:
        "unreadable.py {input.probe:q} {input.receipt:q} 2>&1 | tee {log:q}"
