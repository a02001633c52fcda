# Needs: chunks of frames, their timeline, a network's weights. Gives: the chunks in colour, and with calm colour.
rule colorize:
    input:
        chunk=chunk_before("colorize"),
        timeline=ancient(timeline),
        # The name of the weights' file tells their content; its age means nothing.
        weights=ancient(weights_of("colorize")),
    output:
        chunk=f"{WORK}/{{video}}/colorize.{{key}}/{{span}}.mkv",
        hashes=f"{WORK}/{{video}}/colorize.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/colorize.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    resources:
        gpu=GPU,
        device=SETTINGS["device"],
        batch=SETTINGS["batch"],
        mem_mb=6000,
    params:
        spec=spec("colorize"),
    message:
        "Colorizing {wildcards.video} {wildcards.span}"
    shell:
        "colorize.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q}"
        " --timeline {input.timeline:q} --device {resources.device} --threads {threads} --batch {resources.batch}"
        " --input {input.chunk:q} {output.chunk:q} 2>&1 | tee {log:q}"


rule stabilize:
    input:
        chunks=neighbourhood("stabilize"),
        timeline=ancient(timeline),
    output:
        chunk=f"{WORK}/{{video}}/stabilize.{{key}}/{{span}}.mkv",
        hashes=f"{WORK}/{{video}}/stabilize.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/stabilize.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=2000,
    params:
        spec=spec("stabilize"),
    message:
        "Calming the colours of {wildcards.video} {wildcards.span}"
    shell:
        "stabilize.py --video {wildcards.video:q} --spec {params.spec:q} --timeline {input.timeline:q}"
        " --inputs {input.chunks:q} -- {output.chunk:q} 2>&1 | tee {log:q}"
