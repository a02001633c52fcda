# Needs: a chunk of frames, its timeline, the weights of networks for old photographs. Gives: the chunk, retouched, and where
# scratches were painted over.
rule retouch:
    input:
        chunk=chunk_before("retouch"),
        probe=ancient(probed),
        timeline=ancient(timeline),
        # The name of the weights' file tells their content; its age means nothing.
        weights=ancient(weights_of("retouch")),
    output:
        chunk=kept("retouch", f"{WORK}/{{video}}/retouch.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/retouch.{{key}}/{{span}}.hashes",
        mask=kept("retouch", f"{WORK}/{{video}}/retouch.{{key}}/{{span}}.mask.mkv"),
        mask_hashes=f"{WORK}/{{video}}/retouch.{{key}}/{{span}}.mask.hashes",
    log:
        f"{LOGS}/{{video}}/retouch.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    resources:
        gpu=GPU,
        device=SETTINGS["device"],
        engine=SETTINGS["engine"],
        batch=SETTINGS["batch"],
        mem_mb=by_attempt(8000),
    params:
        spec=spec("retouch"),
    message:
        "Retouching {wildcards.video} {wildcards.span}"
    shell:
        "retouch.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q}"
        " --probe {input.probe:q} --timeline {input.timeline:q} --device {resources.device} --engine {resources.engine} --threads {threads} --batch {resources.batch}"
        " --mask {output.mask:q} --input {input.chunk:q} {output.chunk:q} 2>&1 | tee {log:q}"
