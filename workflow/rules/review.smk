# Needs: a restored video and its source. Gives: pictures to judge it by.
ruleorder: comparison > encode  # a video may be named "comparison"


rule comparison:
    input:
        restored=restored_video,
        probe=ancient(probed),
        timeline=ancient(timeline),
    output:
        stored(f"{RESULTS}/{{video}}/comparison.png"),
    log:
        f"{LOGS}/{{video}}/comparison.log",
    # At each turn Snakemake asks a storage for the inputs of all jobs that wait.
    priority: 1
    conda:
        ENVIRONMENT
    params:
        spec=spec("comparison"),
        source=source,
    message:
        "Comparing {wildcards.video} with its source"
    shell:
        "comparison.py --video {wildcards.video:q} --spec {params.spec:q} --probe {input.probe:q} --timeline {input.timeline:q}"
        " --source={params.source:q} --restored {input.restored:q} {output:q} 2>&1 | tee {log:q}"
