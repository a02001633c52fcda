# Needs: probes, and two samples of a video of each kind. Gives: what all videos will cost in time and space.
rule calibrate:
    input:
        probe=probe_of_kind,
        samples=samples_of_kind,
        weights=ancient(CONFIGURATION.all_weights()),
    output:
        f"{WORK}/.forecast/{{key}}.json",
    log:
        f"{LOGS}/forecast/{{key}}.log",
    conda:
        ENVIRONMENT
    threads: SETTINGS["threads"]
    resources:
        gpu=GPU,
        mem_mb=by_attempt(8000),
    params:
        settings=sample_settings,
        snakefile=workflow.main_snakefile,
        still=flag_of_stills,
    message:
        "Restoring samples"
    shell:
        "calibrate.py --snakefile {params.snakefile:q} --settings {params.settings:q} --probe {input.probe:q}"
        " --samples {input.samples:q} {params.still} --threads {threads} {output:q} 2>&1 | tee {log:q}"


rule forecast:
    input:
        probes=due_probes,
        calibrations=calibrations,
    log:
        f"{LOGS}/forecast.log",
    localrule: True
    message:
        "Forecasting"
    run:
        tell_forecast(input.calibrations, Path(LOGS, "forecast.tsv"))
