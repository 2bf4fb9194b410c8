"""What earlier calls have left in the sweep's folder, and whether it is what is asked for now."""

import runpy
import shutil

# Says where a run is made, and nothing of what it is.
PLACES = ("--out", "--resume")


def stored(path):
    """Where an output lies: on Kubernetes, whose nodes share no folder with Snakemake, in its store."""
    return path if SHARED_FILES else Path(workflow.storage_settings.default_storage_prefix) / path


def is_finished(name):
    return stored(OUT / "runs" / name).exists()


def inputs_of(name):
    """What is prepared before a run. One that is finished waits for nothing that is not there."""
    prepared = [OUT / "prepared" / f"{preparation}.json" for preparation in RUNS[name]["before"]]
    if is_finished(name):
        return [path for path in prepared if stored(path).exists()]
    return prepared


def cache_folder():
    """Where the parts keep what they fetch and compute, in the words of io/cache.ts."""
    return Path(os.path.abspath(os.environ.get("MNIST_STUDY_CACHE") or SUITE / "data" / "cache"))


def stamp_of(preparation):
    """What lies in the cache once that has what is prepared: a mark in the sweep's folder is of it."""
    return cache_folder() / "prepared" / preparation


def forget_prepared():
    """Removes the marks of what is not in the cache, which has been emptied or is another now."""
    stamps = cache_folder() / "prepared"
    place = stamps if stamps.exists() else cache_folder()
    takes_no_stamp = place.exists() and not os.access(place, os.W_OK)
    if takes_no_stamp or not SHARED_FILES:
        return
    for name in PREPARATIONS:
        if not stamp_of(name).exists():
            (OUT / "prepared" / f"{name}.json").unlink(missing_ok=True)


def flags_to_keep(run):
    """All that is asked of a run, with the cores of the configuration: a machine may have fewer."""
    return [*run["flags"], "--threads", str(config["threads"])]


def read_flags(words):
    """The values of the flags in a command line, by their names."""
    flags = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word
            flags[name] = ""
        else:
            flags[name] = word
    return {name: value for name, value in flags.items() if name not in PLACES}


def kept_flags(folder):
    """The flags that a run in this folder was begun with; nothing if it does not say so."""
    try:
        return read_flags(json.loads((folder / "flags.json").read_text()))
    except (OSError, ValueError):
        pass
    # Earlier versions left it to the part, which knows the cores of the machine alone.
    for path in sorted(folder.glob("runs/*/manifest.json"), reverse=True):
        try:
            flags = read_flags(json.loads(path.read_text())["settings"]["command"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        return {**flags, "--threads": str(config["threads"])}
    return None


def changes_of(folder, run):
    """What is asked of a run now and was not when it was made in this folder, in words."""
    kept = kept_flags(folder)
    asked = read_flags(flags_to_keep(run))
    if kept is None:
        return []
    names = sorted(name for name in {**kept, **asked} if kept.get(name) != asked.get(name))
    return [f"{name} was {say(kept, name)} and is {say(asked, name)}" for name in names]


def say(flags, name):
    return (flags[name] or "given") if name in flags else "not given"


def check_kept():
    """Fails if a run is there under a name of now that was made with other settings."""
    lines = [
        f"{folder}: {', '.join(changes)}"
        for name, run in RUNS.items()
        for folder in (stored(OUT / "runs" / name), UNFINISHED / name)
        if (changes := changes_of(folder, run))
    ]
    if lines:
        more = [f"and {len(lines) - 3} more"] if len(lines) > 3 else []
        raise WorkflowError(
            "\n  ".join(
                [
                    "Runs are there that were begun with other settings than the configuration has:",
                    *lines[:3],
                    *more,
                    "Give the recipe another name or the sweep another folder (out), or remove these "
                    "folders, and their runs are made again",
                ]
            )
        )


def keep_list():
    """
    Writes the names of all runs where others were planned before, or others are gathered, as by a call
    that went on while this was planned, and where a run is not there: a folder may have been removed, and
    of what has been made of it alone Snakemake misses nothing. What is gathered is then gathered anew.
    """
    path = OUT / "runs.txt"
    gathered = stored(OUT / "gathered" / "runs.txt")
    last = gathered.read_text() if gathered.exists() else None
    is_other = last is not None and sorted(last.split()) != sorted(RUNS)
    is_other = is_other or not all(map(is_finished, RUNS))
    if is_other or not path.exists() or sorted(path.read_text().split()) != sorted(RUNS):
        text = "".join(f"{name}\n" for name in RUNS)
        # A list of the same contents is the same to Snakemake, however new it is.
        write_whole(path, f"{text}\n" if last == text else text)


def report_so_far():
    """Reports the runs that are finished where others have failed for good, which keep back `gather`."""
    forget_so_far()
    done = [stored(OUT / "runs" / name) for name in RUNS if is_finished(name)]
    if not done or len(done) == len(RUNS):
        return
    so_far = OUT / "so_far"
    command = [
        *shlex.split(suite_command("compare")),
        *["--results", os.path.abspath(so_far / "gathered")],
        *["--out", os.path.abspath(so_far / "report")],
    ]
    try:
        # Not a name of this file, where Snakemake has a `gather` of its own.
        runpy.run_path(str(WORKFLOW / "scripts" / "gather.py"))["gather"](done, so_far / "gathered")
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        print(f"No report of the {len(done)} finished runs: {error.stderr.strip()}", file=sys.stderr)
    except (OSError, SystemExit) as error:
        print(f"No report of the {len(done)} finished runs: {error}", file=sys.stderr)
    else:
        path = so_far / "report" / "report.md"
        print(f"{path} is of the {len(done)} of {len(RUNS)} runs that are finished", file=sys.stderr)


def forget_so_far():
    shutil.rmtree(OUT / "so_far", ignore_errors=True)
