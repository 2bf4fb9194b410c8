# One results folder in place of one for each run.
rule gather:
    input:
        runs=[OUT / "runs" / run for run in RUNS],
        # Written where the plan is: with fewer runs than before, no other file is newer.
        names=local(OUT / "runs.txt"),
    output:
        directory(OUT / "gathered"),
    log:
        OUT / "logs" / "gather.log",
    conda:
        "../envs/suite.yaml"
    script:
        "../scripts/gather.py"


rule report:
    input:
        OUT / "gathered",
    output:
        report=OUT / "report" / "report.md",
        figures=directory(OUT / "report" / "figures"),
    log:
        OUT / "logs" / "report.log",
    conda:
        "../envs/suite.yaml"
    params:
        command=suite_command("compare"),
    shell:
        """
        mkdir -p {output.figures:q}
        INIT_CWD="$PWD" {params.command} --results {input:q} \
            --out "$(dirname {output.report:q})" > {log:q} 2>&1
        """
