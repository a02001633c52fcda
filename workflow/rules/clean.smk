# Needs: a chunk of frames and the weights of a network that keeps their size. Gives: the chunk, cleaner.
rule clean:
    input:
        chunk=chunk_before("clean"),
        # The name of the weights' file tells their content; its age means nothing.
        weights=ancient(weights_of("clean")),
    output:
        chunk=kept("clean", f"{WORK}/{{video}}/clean.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/clean.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/clean.{{key}}/{{span}}.log",
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
        spec=spec("clean"),
    message:
        "Cleaning {wildcards.video} {wildcards.span}"
    shell:
        "clean.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q}"
        " --device {resources.device} --engine {resources.engine} --threads {threads} --batch {resources.batch}"
        " --input {input.chunk:q} {output.chunk:q} 2>&1 | tee {log:q}"
