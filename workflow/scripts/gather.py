"""Gathers the results folders of many runs into one: their rows, and their run folders as links.

Of each folder the row of the run that ended well is taken; rows of attempts that failed before it stay
where they are. A run without such a row, or with two, is an error: none may be lost or counted twice.
"""

import csv
import io
import os
import shutil
import sys
from pathlib import Path


def gather(folders, out, names=None):
    """Gathers the folders in `out`, with the list of their names or, without one, what it would be."""
    parts, ids = {}, set()
    for folder in folders:
        part, header, row, run_id = finished_row(folder)
        if run_id in ids:
            raise SystemExit(f"Run {run_id} is in two folders, {folder} is one: remove the copy")
        ids.add(run_id)
        rows = parts.setdefault(part, [header])
        if rows[0] != header:
            raise SystemExit(f"{folder / part} has other columns than the runs before it")
        rows.append(row)
    (out / "runs").mkdir(parents=True, exist_ok=True)
    for folder in folders:
        for run in (folder / "runs").iterdir():
            if run.name in ids:
                shutil.copytree(
                    run,
                    out / "runs" / run.name,
                    copy_function=link,
                    ignore=shutil.ignore_patterns(".*", "*.tmp"),
                )
    for part, rows in parts.items():
        with open(out / part, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
    text = "".join(f"{folder.name}\n" for folder in folders) if names is None else names.read_text()
    (out / "runs.txt").write_text(text)
    print(f"{len(ids)} runs in {out}", file=sys.stderr)


def link(source, target):
    """The same file under a second name, or a copy where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def finished_row(folder):
    """The file's name, header, row and run of the one run in a folder that ended well."""
    found = []
    for path in sorted(folder.glob("part*.csv")):
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        header = rows[0]
        status, run_id = header.index("status"), header.index("run_id")
        found += [
            (path.name, header, row, row[run_id])
            for row in rows[1:]
            if len(row) == len(header) and row[status] == "ok"
        ]
    if len(found) != 1:
        raise SystemExit(
            f"{folder} has {len(found)} finished runs where one is expected: remove it, and its run "
            "is made again"
        )
    return found[0]


if "snakemake" in globals():
    with open(snakemake.log[0], "w", encoding="utf-8") as log:
        sys.stderr = log
        gather(
            [Path(folder) for folder in snakemake.input.runs],
            Path(snakemake.output[0]),
            Path(snakemake.input.names),
        )
