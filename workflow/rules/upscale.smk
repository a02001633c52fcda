# Needs: a chunk of frames and a network's weights. Gives: the chunk, enlarged.
rule upscale:
    input:
        chunk=chunk_before("upscale"),
        # The name of the weights' file tells their content; its age means nothing.
        weights=ancient(weights_of("upscale")),
    output:
        chunk=f"{WORK}/{{video}}/upscale.{{key}}/{{span}}.mkv",
        hashes=f"{WORK}/{{video}}/upscale.{{key}}/{{span}}.hashes",
    log:
        f"{LOGS}/{{video}}/upscale.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    resources:
        gpu=GPU,
        device=SETTINGS["device"],
        batch=SETTINGS["batch"],
        mem_mb=6000,
    params:
        spec=spec("upscale"),
    message:
        "Upscaling {wildcards.video} {wildcards.span}"
    shell:
        "upscale.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q}"
        " --device {resources.device} --threads {threads} --batch {resources.batch}"
        " --input {input.chunk:q} {output.chunk:q} 2>&1 | tee {log:q}"
