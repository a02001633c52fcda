# Needs: chunks before and after upscaling, networks' weights. Gives: the chunks with restored faces, and the record.
rule detect:
    input:
        chunk=chunk_before("detect"),
        # The name of the weights' file tells their content; its age means nothing.
        weights=ancient(weights_of("detect")),
    output:
        f"{WORK}/{{video}}/detect.{{key}}/{{span}}.json",
    log:
        f"{LOGS}/{{video}}/detect.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    resources:
        gpu=GPU,
        device=SETTINGS["device"],
        batch=SETTINGS["batch"],
        mem_mb=by_attempt(3000),
    params:
        spec=spec("detect"),
    message:
        "Finding faces in {wildcards.video} {wildcards.span}"
    shell:
        "detect.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q}"
        " --device {resources.device} --threads {threads} --batch {resources.batch}"
        " --input {input.chunk:q} {output:q} 2>&1 | tee {log:q}"


rule track:
    input:
        chunks=chunks_before("track"),
        faces=of_all_chunks("detect", ".json"),
        probe=ancient(probed),
        weights=ancient(weights_of("track")),
    output:
        f"{WORK}/{{video}}/track.{{key}}.json",
    log:
        f"{LOGS}/{{video}}/track.{{key}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    resources:
        gpu=GPU,
        device=SETTINGS["device"],
        engine=SETTINGS["engine"],
        batch=SETTINGS["batch"],
        mem_mb=by_attempt(6000),
        chunk_frames=SETTINGS["chunk_frames"],
    params:
        spec=spec("track"),
    message:
        "Following and judging the faces of {wildcards.video}"
    shell:
        "track.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q} --probe {input.probe:q}"
        " --device {resources.device} --engine {resources.engine} --threads {threads} --batch {resources.batch}"
        " --faces {input.faces[0]:q} --chunk-frames {resources.chunk_frames}"
        " --input {input.chunks[0]:q} {output:q} 2>&1 | tee {log:q}"


rule faces:
    input:
        # With `fuse` the chunk before upscaling, and the network for that.
        chunk=by_setting(chunk_before("faces")),
        upscaler=by_setting(ancient(if_fused(weights_of("upscale")))),
        quantized=by_setting(if_fused(quantized)),
        source=chunk_before("detect"),
        tracks=tracks,
        weights=ancient(weights_of("faces")),
    output:
        chunk=kept("faces", f"{WORK}/{{video}}/faces.{{key}}/{{span}}.mkv"),
        hashes=f"{WORK}/{{video}}/faces.{{key}}/{{span}}.hashes",
        invented=kept("faces", f"{WORK}/{{video}}/faces.{{key}}/{{span}}.invented.mkv"),
        invented_hashes=f"{WORK}/{{video}}/faces.{{key}}/{{span}}.invented.hashes",
        entries=f"{WORK}/{{video}}/faces.{{key}}/{{span}}.json",
    log:
        f"{LOGS}/{{video}}/faces.{{key}}/{{span}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    resources:
        gpu=GPU,
        device=SETTINGS["device"],
        engine=SETTINGS["engine"],
        batch=SETTINGS["batch"],
        mem_mb=by_attempt(12000 if SETTINGS["fuse"] else 6000),
    params:
        spec=spec("faces"),
        upscaling=spec_of_upscaling,
    message:
        "Restoring faces in {wildcards.video} {wildcards.span}"
    shell:
        "faces.py --video {wildcards.video:q} --spec {params.spec:q} --weights {input.weights:q}"
        " --device {resources.device} --engine {resources.engine} --threads {threads} --batch {resources.batch}"
        " --upscaling {params.upscaling:q} --upscaler {input.upscaler:q} {input.quantized:q} --source {input.source:q} --tracks {input.tracks:q}"
        " --invented {output.invented:q} --entries {output.entries:q}"
        " --input {input.chunk:q} {output.chunk:q} 2>&1 | tee {log:q}"


ruleorder: record > encode  # the mask has the name of a copy that nobody can ask for


rule record:
    input:
        invented=of_all_chunks("faces", ".invented.mkv"),
        tracks=tracks,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        record=stored(f"{RESULTS}/{{video}}/{{video}}.faces.json"),
        mask=stored(f"{RESULTS}/{{video}}/{{video}}.faces.mkv"),
    log:
        f"{LOGS}/{{video}}/record.log",
    conda:
        ENVIRONMENT
    resources:
        chunk_frames=SETTINGS["chunk_frames"],
    params:
        spec=spec("record"),
    message:
        "Recording what was invented of the faces of {wildcards.video}"
    shell:
        "record.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --tracks {input.tracks:q} --invented {input.invented[0]:q} --chunk-frames {resources.chunk_frames}"
        " --mask {output.mask:q} {output.record:q} 2>&1 | tee {log:q}"
