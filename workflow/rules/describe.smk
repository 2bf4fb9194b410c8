"""What a plan says to the person who makes it."""

# Flags in which the runs of a detector's head may differ and still find each other's features of boxes.
SHARING = ("--epochs", "--head-batch-size", "--lr", "--limit", "--test-limit")


def own_feature_bytes():
    """What the runs themselves leave in the cache: of those that share features, the most that one has."""
    most = {}
    for run in RUNS.values():
        flags = read_flags(run["flags"])
        key = tuple(sorted((name, value) for name, value in flags.items() if name not in SHARING))
        most[key] = max(most.get(key, 0), forecast_of(run)["featureBytes"])
    return sum(most.values())


def describe_plan():
    """What all runs take together, for the person who starts them."""
    planned = [forecast_of(run) for run in RUNS.values()]
    prepared = [forecast_of(preparation) for preparation in PREPARATIONS.values()]
    threads = config["threads"]
    hours = sum(one["seconds"] for one in [*planned, *prepared]) * threads / 3600
    kept = sum(
        one["keptBytes"] + (one["checkpointBytes"] if config["keep_checkpoints"] else 0)
        for one in planned
    )
    features = own_feature_bytes() + sum(one["featureBytes"] for one in prepared)
    moved = sum(one["writtenBytes"] + one["readBytes"] for one in [*planned, *prepared])
    largest = max(one["diskBytes"] for one in planned)
    longest = max(one["seconds"] for one in planned)
    return (
        f"Plan: {len(RUNS)} runs with {threads} core{'s' if threads > 1 else ''} each, {hours:.1f} core hours in all, the "
        f"longest run {longest / 60:.0f} min; {kept / 1e9:.2f} GB stay, {largest / 1e9:.2f} GB more "
        f"for each run while it goes on, and {features / 1e9:.1f} GB of features in the cache; "
        f"{moved / 1e9:.0f} GB go through the shared file system. Rates: "
        f"{rates_path() or 'those of an older AMD EPYC'}."
    )


def describe_rates():
    """A line if the rates are of another backend than the runs, or of a processor and not a GPU."""
    rates = json.loads(Path(rates_file()).read_text())
    is_on_gpu = rates.get("cores", 0) is None
    # Older files do not say.
    backend = rates.get("backend", config["backend"])
    if backend != config["backend"]:
        others = f"{backend}, and the runs are on {config['backend']}"
    elif is_on_gpu != (config["device"] == "gpu") and config["device"] in ("cpu", "gpu"):
        others = f"a {'GPU' if is_on_gpu else 'processor'}, and the runs are on the {config['device']}"
    else:
        return
    yield (
        f"The rates are of {others}: times may be others. Measure such a node by deno task sweep "
        "--measure with this configuration."
    )


def describe_gaps():
    """A line for each model that has no run, with what it lacks of every recipe."""
    there = {run["size"]["model"] for run in RUNS.values()}
    for model in config["models"]:
        if model not in there:
            reasons = [
                f"{recipe['name']}: {lack_of(recipe, model) or 'is of other models'}"
                for recipe in config["recipes"]
            ]
            yield f"No run of {model}, by its recipes: {'; '.join(reasons)}."


def describe_idle_recipes():
    """A line for each recipe by which there is no run, or none of a model that it names."""
    models = config["models"]
    for recipe in config["recipes"]:
        missing = [model for model in recipe["asked"] if model not in models]
        if missing:
            yield (
                f"No run of {list_words(missing)} by recipe {recipe['name']}: models has "
                f"{list_words(models)} alone."
            )
        elif not any(applies(recipe, model) for model in models):
            reasons = [lack_of(recipe, model) for model in models]
            yield f"No run by recipe {recipe['name']}: {'; '.join(reasons)}."


def describe_shortage():
    """A line if a run takes more memory than there is on this machine, where that is known.

    Snakemake then asks for all that there is, so that such a run is made alone.
    """
    limit = workflow.global_resources.get("mem_mb")
    # Of a version before 9.16.3 a number.
    room = getattr(limit, "value", limit)
    planned = {**PREPARATIONS, **RUNS}
    needs = {name: forecast_of(one)["memoryBytes"] / 1e6 for name, one in planned.items()}
    most = max(needs, key=needs.get)
    if room is not None and needs[most] > room:
        many = sum(need > room for need in needs.values())
        yield (
            f"Too little memory: {most} takes {needs[most] / 1000:.1f} GB, and there are "
            f"{room / 1000:.1f} for it. {many} of the runs and what is prepared for them may fail so, "
            "each of which is made alone."
        )


def mark_planned():
    """Tells `deno task sweep`, where that is what calls, that the configuration was not refused."""
    mark = os.environ.get("MNIST_STUDY_PLANNED")
    if mark is not None:
        Path(mark).touch()
