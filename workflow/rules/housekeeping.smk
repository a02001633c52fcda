# Needs: nothing. Gives: a list of intermediates that no current setting names, and frees their space when told to.
rule prune:
    log:
        f"{LOGS}/prune.log",
    localrule: True
    run:
        prune(
            Path(WORK),
            RESULTS_HERE,
            CONFIGURATION.current_intermediates(),
            delete=SETTINGS["delete"],
        )


rule mark:
    output:
        touch(stored(f"{RESULTS}/.restoration")),
    # Before hours of work it shows whether anything can be written.
    priority: 1
    localrule: True
    message:
        "Marking the folder of the results"
