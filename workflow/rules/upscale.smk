# Needs: a chunk of frames and a network's weights. Gives: the chunk, enlarged; on request with calm detail.
rule upscale:
    input:
        chunk=chunk_before("upscale"),
        # The name of the weights' file tells their content; its age means nothing.
        weights=ancient(weights_of("upscale")),
        quantized=quantized,
    output:
        chunk=kept("upscale", f"{WORK}/{{video}}/upscale.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/upscale.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/upscale.{{key}}/{{span}}.log",
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
        spec=spec("upscale"),
    message:
        "Upscaling {wildcards.video} {wildcards.span}"
    shell:
        "upscale.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q}"
        " {input.quantized:q} --device {resources.device} --engine {resources.engine} --threads {threads} --batch {resources.batch}"
        " --input {input.chunk:q} {output.chunk:q} 2>&1 | tee {log:q}"


rule settle:
    input:
        chunks=neighbourhood("settle"),
        sources=neighbourhood("upscale"),
        timeline=ancient(timeline),
    output:
        chunk=kept("settle", f"{WORK}/{{video}}/settle.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/settle.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/settle.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=by_attempt(6000),
    params:
        spec=spec("settle"),
    message:
        "Calming the detail of {wildcards.video} {wildcards.span}"
    shell:
        "settle.py --video {wildcards.video:q} --spec {params.spec:q} --timeline {input.timeline:q}"
        " --sources {input.sources:q} --inputs {input.chunks:q} -- {output.chunk:q} 2>&1 | tee {log:q}"


# For the precision int8: needs some chunks of a video and a network's weights; gives the network, fitted to them.
rule quantize:
    input:
        # Like weights: the name tells the content.
        chunks=ancient(some_chunks_before("quantize")),
        weights=ancient(weights_of("quantize")),
    output:
        f"{WORK}/{{video}}/quantize.{{key}}.openvino",
    log:
        f"{LOGS}/{{video}}/quantize.{{key}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    resources:
        mem_mb=by_attempt(6000),
    params:
        spec=spec("quantize"),
    message:
        "Fitting a network to {wildcards.video}"
    shell:
        "quantize.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q} --threads {threads}"
        " --inputs {input.chunks:q} -- {output:q} 2>&1 | tee {log:q}"
