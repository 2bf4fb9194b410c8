# What all runs share is fetched and computed once, before them, so that they only read it.
rule prepare:
    output:
        OUT / "prepared" / "{preparation}.json",
    log:
        OUT / "logs" / "prepare" / "{preparation}.log",
    conda:
        "../envs/suite.yaml"
    params:
        command=lambda wildcards: suite_command(
            f"part{PREPARATIONS[wildcards.preparation]['part']}",
            *PREPARATIONS[wildcards.preparation]["flags"],
        ),
        # Not an output: what an attempt leaves, the next goes on with. It goes once the row is there.
        work=lambda wildcards: UNFINISHED / wildcards.preparation,
        stamp=lambda wildcards: stamp_of(wildcards.preparation),
    threads: config["threads"]
    resources:
        runtime=lambda wildcards, attempt: minutes(PREPARATIONS[wildcards.preparation], attempt) + 30,
        mem_mb=lambda wildcards, attempt: megabytes_of_memory(
            PREPARATIONS[wildcards.preparation], attempt
        ),
        disk_mb=lambda wildcards: megabytes_of_disk(PREPARATIONS[wildcards.preparation]),
        gpu=GPUS,
    retries: 3
    shell:
        """
        mkdir -p {params.work:q}
        INIT_CWD="$PWD" {params.command} --threads {threads} --json --resume \
            --out {params.work:q} > {params.work:q}/row.json 2>> {log:q}
        mkdir -p "$(dirname {params.stamp:q})" && touch {params.stamp:q} || true
        mv {params.work:q}/row.json {output:q}
        rm -rf {params.work:q}
        """


# A run is made in a folder that is no output, as Snakemake removes the outputs of jobs that failed:
# so an attempt goes on with the checkpoint of the one before. Whenever it is killed, the folder says
# how far it has come.
rule run:
    input:
        lambda wildcards: ancient(inputs_of(wildcards.run)),
    output:
        directory(OUT / "runs" / "{run}"),
    log:
        OUT / "logs" / "runs" / "{run}.log",
    conda:
        "../envs/suite.yaml"
    params:
        command=lambda wildcards: suite_command(
            f"part{RUNS[wildcards.run]['part']}", *RUNS[wildcards.run]["flags"]
        ),
        work=lambda wildcards: UNFINISHED / wildcards.run,
        flags=lambda wildcards: json.dumps(flags_to_keep(RUNS[wildcards.run])),
        checkpoints="" if config["keep_checkpoints"] else "checkpoint.safetensors",
    threads: config["threads"]
    resources:
        runtime=lambda wildcards, attempt: minutes(RUNS[wildcards.run], attempt),
        mem_mb=lambda wildcards, attempt: megabytes_of_memory(RUNS[wildcards.run], attempt),
        disk_mb=lambda wildcards: megabytes_of_disk(RUNS[wildcards.run]),
        gpu=GPUS,
    retries: 3
    shell:
        """
        if [ ! -e {params.work:q}/finished ]; then
            mkdir -p {params.work:q}
            printf %s {params.flags:q} > {params.work:q}/flags.json
            INIT_CWD="$PWD" {params.command} --threads {threads} --resume \
                --out {params.work:q} >> {log:q} 2>&1
            touch {params.work:q}/finished
        fi
        if [ -n "{params.checkpoints}" ]; then
            rm -f {params.work:q}/runs/*/{params.checkpoints}
        fi
        if [ -d {output:q} ]; then
            rmdir {output:q}
        fi
        mv {params.work:q} {output:q}
        """
