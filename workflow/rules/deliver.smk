# Needs: all chunks of a video after its last stage, the plan, the timeline, the source. Gives: the restored video.
rule encode:
    input:
        chunks=restored_chunks,
        plan=ancient(PLAN),
        timeline=ancient(timeline),
        source=ancient(source_if_there),
    output:
        f"{RESULTS}/{{video}}/{{video}}.{{container}}",
    log:
        f"{LOGS}/{{video}}/encode.{{container}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    params:
        spec=spec("encode"),
        source=source,
    message:
        "Encoding {output}"
    shell:
        # A long video has more chunks than fit on a command line: the first tells the folder, the plan their names.
        "encode.py --video {wildcards.video:q} --spec {params.spec:q} --plan {input.plan:q}"
        " --timeline {input.timeline:q} --source {params.source:q} --first-chunk {input.chunks[0]:q} {output:q} 2>&1 | tee {log:q}"
