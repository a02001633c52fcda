# Needs: all that was delivered of a video, its probe and timeline. Gives: signatures of Matroska files, the record of
# provenance and its exports; on request, a proof that what was delivered is still what is recorded.
rule sign:
    input:
        restored=after_plan(f"{RESULTS}/{{video}}/{{video}}{{variant}}.mkv"),
        probe=ancient(probed),
    output:
        stored(f"{RESULTS}/{{video}}/{{video}}{{variant}}.mkv.c2pa"),
    log:
        f"{LOGS}/{{video}}/sign{{variant}}.log",
    conda:
        ENVIRONMENT
    params:
        spec=spec("sign"),
        certificate=signer("certificate"),
        key=signer("key"),
    message:
        "Signing {input.restored}"
    shell:
        "sign.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --restored {input.restored:q}"
        " --certificate {params.certificate:q} --key {params.key:q} {output:q} 2>&1 | tee {log:q}"


rule provenance:
    input:
        files=delivered,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        record=stored(f"{RESULTS}/{{video}}/{{video}}.provenance.json"),
        premis=stored(f"{RESULTS}/{{video}}/{{video}}.premis.xml"),
        prov=stored(f"{RESULTS}/{{video}}/{{video}}.prov.jsonld"),
    log:
        f"{LOGS}/{{video}}/provenance.log",
    priority: 1
    conda:
        ENVIRONMENT
    resources:
        # What frames were made with, they tell themselves; this is for who makes them again.
        chunk_frames=SETTINGS["chunk_frames"],
        device=SETTINGS["device"],
        engine=SETTINGS["engine"],
        network_threads=SETTINGS["threads"],
        batch=SETTINGS["batch"],
    params:
        spec=spec("provenance"),
    message:
        "Recording the provenance of {wildcards.video}"
    shell:
        "provenance.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q}"
        " --timeline {input.timeline:q} --chunk-frames {resources.chunk_frames}"
        " --device {resources.device} --engine {resources.engine} --threads {resources.network_threads}"
        " --batch {resources.batch} --premis {output.premis:q} --prov {output.prov:q}"
        " {output.record:q} --files {input.files:q} 2>&1 | tee {log:q}"


rule verify:
    # No inputs: what is missing would be made again, and then there.
    log:
        f"{LOGS}/verify.log",
    localrule: True
    message:
        "Verifying what was delivered"
    run:
        # Thousands of names do not fit on a command line.
        records = Path(LOGS, "verify.txt")
        records.write_text(
            "".join(f"{at_hand(video)}\n" for video in CONFIGURATION.due)
        )
        shell("verify.py --list {records:q} 2>&1 | tee {log:q}")
