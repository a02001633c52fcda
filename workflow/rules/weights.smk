# Needs: the registry of models. Gives: verified weights as safetensors; `snakemake weights` fetches all that are due.
rule weights:
    input:
        collect("{file}", file=CONFIGURATION.all_weights()),
    localrule: True


rule weight:
    input:
        registry=ancient(SETTINGS["models"]),
    output:
        f"{WEIGHTS}/{{model}}.{{key}}.safetensors",
    log:
        f"{LOGS}/weights/{{model}}.{{key}}.log",
    # Cluster nodes often have no network; the login node does.
    localrule: True
    conda:
        ENVIRONMENT
    params:
        own=own_file,
    message:
        "Fetching and checking the weights of {wildcards.model}"
    shell:
        "weight.py --registry {input.registry:q} --model {wildcards.model:q} --own {params.own:q}"
        " {output:q} 2>&1 | tee {log:q}"
