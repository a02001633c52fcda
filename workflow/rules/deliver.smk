# Needs: all chunks of a video after its last stage, the plan, the timeline, the source. Gives: the restored video, and
# further copies of it that its recipe asks for.
rule encode:
    input:
        chunks=chunks_before("encode"),
        faces=labelled_faces,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        video=stored(f"{RESULTS}/{{video}}/{{video}}{{variant}}.{{container}}"),
        delivery=stored(
            f"{RESULTS}/{{video}}/{{video}}{{variant}}.{{container}}.delivery.json"
        ),
    log:
        f"{LOGS}/{{video}}/encode{{variant}}.{{container}}.log",
    conda:
        ENVIRONMENT
    # As many as the encoder always uses: its bytes depend on their number.
    threads: 8
    resources:
        # Where to find the frames, not what they are: no reason to encode anew.
        chunk_frames=SETTINGS["chunk_frames"],
    params:
        spec=spec("encode"),
        source=source,
        certificate=signer("certificate"),
        key=signer("key"),
    message:
        "Encoding {output.video}"
    shell:
        # A long video has more chunks than fit on a command line: the first tells the folder, their length the names.
        "encode.py --video {wildcards.video:q} --spec {params.spec:q}"
        " --probe {input.probe:q} --timeline {input.timeline:q} --source={params.source:q}"
        " --first-chunk {input.chunks[0]:q} --chunk-frames {resources.chunk_frames}"
        " --faces {input.faces:q} --certificate {params.certificate:q} --key {params.key:q}"
        " --delivery {output.delivery:q} {output.video:q} 2>&1 | tee {log:q}"
