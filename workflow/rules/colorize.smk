# Needs: chunks of frames, their timeline, a network's weights. Gives: the chunks in colour, steered by hints, calm.
rule colorize:
    input:
        chunk=chunk_before("colorize"),
        probe=ancient(probed),
        timeline=ancient(timeline),
        # The name of the weights' file tells their content; its age means nothing.
        weights=ancient(weights_of("colorize")),
    output:
        chunk=kept("colorize", f"{WORK}/{{video}}/colorize.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/colorize.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/colorize.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    resources:
        gpu=GPU,
        device=SETTINGS["device"],
        engine=SETTINGS["engine"],
        batch=SETTINGS["batch"],
        mem_mb=by_attempt(6000),
    params:
        spec=spec("colorize"),
    message:
        "Colorizing {wildcards.video} {wildcards.span}"
    shell:
        "colorize.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q}"
        " --probe {input.probe:q} --timeline {input.timeline:q} --device {resources.device} --engine {resources.engine} --threads {threads} --batch {resources.batch}"
        " --input {input.chunk:q} {output.chunk:q} 2>&1 | tee {log:q}"


rule hints:
    input:
        chunks=chunks_before("hints"),
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        f"{WORK}/{{video}}/hints.{{key}}.json",
    log:
        f"{LOGS}/{{video}}/hints.{{key}}.log",
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=by_attempt(3000),
        chunk_frames=SETTINGS["chunk_frames"],
    params:
        spec=spec("hints"),
        images=reference_images,
    message:
        "Following the colour hints on {wildcards.video}"
    shell:
        "hints.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --first-chunk {input.chunks[0]:q} --chunk-frames {resources.chunk_frames} --images {params.images:q}"
        " -- {output:q} 2>&1 | tee {log:q}"


rule steer:
    input:
        chunk=chunk_before("steer"),
        hints=hints,
        timeline=ancient(timeline),
    output:
        chunk=kept("steer", f"{WORK}/{{video}}/steer.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/steer.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/steer.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=by_attempt(2000),
    params:
        spec=spec("steer"),
    message:
        "Steering the colours of {wildcards.video} {wildcards.span}"
    shell:
        "steer.py --video {wildcards.video:q} --spec {params.spec:q} --timeline {input.timeline:q} --hints {input.hints:q}"
        " --input {input.chunk:q} {output.chunk:q} 2>&1 | tee {log:q}"


rule stabilize:
    input:
        chunks=neighbourhood("stabilize"),
        timeline=ancient(timeline),
    output:
        chunk=kept("stabilize", f"{WORK}/{{video}}/stabilize.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/stabilize.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/stabilize.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=by_attempt(2000),
    params:
        spec=spec("stabilize"),
    message:
        "Calming the colours of {wildcards.video} {wildcards.span}"
    shell:
        "stabilize.py --video {wildcards.video:q} --spec {params.spec:q} --timeline {input.timeline:q}"
        " --inputs {input.chunks:q} -- {output.chunk:q} 2>&1 | tee {log:q}"
