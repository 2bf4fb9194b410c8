# One results folder in place of one for each run.
rule gather:
    input:
        [OUT / "runs" / run for run in RUNS],
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
        OUT / "report" / "report.md",
    log:
        OUT / "logs" / "report.log",
    conda:
        "../envs/suite.yaml"
    params:
        command=suite_command("compare"),
        gathered=OUT / "gathered",
        report=OUT / "report",
    shell:
        "INIT_CWD=\"$PWD\" {params.command} --results {params.gathered:q} --out {params.report:q} > {log:q} 2>&1"
