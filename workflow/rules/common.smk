"""What the configuration asks for: the runs, what they need, and what is prepared before them."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

WORKFLOW = Path(workflow.basedir)
SUITE = WORKFLOW.parent

# What each model is called on the command line, and the part that its rows are of.
MODELS = {
    "simplecnn": {"part": 1, "flags": []},
    "fasterrcnn": {"part": 2, "flags": []},
    "vgg16": {"part": 4, "flags": ["--models", "vgg16"]},
    "alexnet": {"part": 4, "flags": ["--models", "alexnet"]},
}

# What a forecast depends on besides rates and sizes.
FORECAST_CODE = (
    "experiment/checkpoint_forecast.ts",
    "experiment/forecast.ts",
    "experiment/sweep_forecast.ts",
    "models/simple_cnn.ts",
    "study.ts",
)

# Asked of the engine beyond what is expected: a slower node, a busy file system.
TIME_MARGIN = 3
MEMORY_MARGIN = 1.5
LEAST_MINUTES = 10


def check_config(config):
    """Fails with one line for each mistake, which names where it is and what would be right."""
    path = WORKFLOW / "schemas" / "config.schema.yaml"
    validator = jsonschema.Draft202012Validator(yaml.safe_load(path.read_text()))
    mistakes = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.path)))
    if mistakes:
        lines = [describe_mistake(mistake) for mistake in mistakes]
        raise WorkflowError("\n  ".join(["The configuration is wrong:", *lines]))
    validate(config, str(path))
    config["recipes"] = [full_recipe(recipe) for recipe in config["recipes"]]
    check_names("recipes", [recipe["name"] for recipe in config["recipes"]])
    check_names("data", [data_name(data) for data in config["data"]])
    for recipe in config["recipes"]:
        check_recipe(recipe)


# Mistakes that only something of the right form can have.
FORM_FITS = ("required", "additionalProperties", "minItems", "uniqueItems")


def describe_mistake(error):
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path]
    where = "".join(parts).lstrip(".") or "the file"
    if error.validator == "additionalProperties":
        known = ", ".join(sorted(error.schema["properties"]))
        return f"{where}: {error.message} (known are {known})"
    if error.validator == "uniqueItems":
        items = error.instance
        again = next(item for index, item in enumerate(items) if item in items[:index])
        return f"{where}: {again!r} is there twice"
    if error.validator == "oneOf":
        # What has the right form is told what is wrong with it, not that other forms are there too.
        inside = [
            nested
            for nested in error.context
            if nested.path or nested.validator in FORM_FITS
        ]
        if inside and isinstance(error.instance, (dict, list)):
            return "; ".join(describe_mistake(nested) for nested in inside)
        wanted = " or ".join(describe_schema(schema) for schema in error.validator_value)
        return f"{where}: {error.instance!r} is not {wanted}"
    return f"{where}: {error.message}"


def describe_schema(schema):
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return " or ".join(map(repr, schema["enum"]))
    if "$ref" in schema:
        return "settings with a name"
    least = f" of {schema['minimum']} or more" if "minimum" in schema else ""
    return f"{'a list' if schema['type'] == 'array' else 'an ' + schema['type']}{least}"


def full_recipe(recipe):
    if isinstance(recipe, str):
        recipe = {"name": recipe, "base": recipe}
    recipe = {"base": "published", "train_head": False, **recipe}
    usual = list(MODELS) if recipe["base"] == "published" else ["simplecnn"]
    return {**recipe, "models": recipe.get("models", usual), "asked": recipe.get("models", [])}


def check_recipe(recipe):
    """Fails if a model that a recipe names does not have one of its settings."""
    for model in recipe["asked"]:
        if recipe["base"] != "published" and model != "simplecnn":
            raise WorkflowError(f"recipe {recipe['name']}: {model} has no {recipe['base']} recipe")
        if recipe["train_head"] and model != "fasterrcnn":
            raise WorkflowError(f"recipe {recipe['name']}: train_head is of fasterrcnn, not {model}")
        if "weights" in recipe and model == "simplecnn":
            raise WorkflowError(f"recipe {recipe['name']}: simplecnn starts from no weights")


def check_names(what, names):
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WorkflowError(f"The configuration is wrong: {what}: there are two of {', '.join(twice)}")


def data_name(data):
    """A data set in the name of a folder; of a folder its name and a mark of its path."""
    if data in ("auto", "mnist", "fashion"):
        return data
    path = os.path.abspath(data)
    mark = hashlib.sha256(path.encode()).hexdigest()[:6]
    name = re.sub(r"[^A-Za-z0-9_.]+", "_", os.path.basename(path))
    return f"{name}.{mark}"


def data_flags(data):
    return ["--data", data if data in ("auto", "mnist", "fashion") else os.path.abspath(data)]


def applies(recipe, model):
    if model not in recipe["models"]:
        return False
    return model == "fasterrcnn" or not recipe["train_head"]


def expand_runs(config):
    """Every run by its name: what is asked of which part, and the size that it has."""
    seeds = config["seeds"]
    if isinstance(seeds, dict):
        first = seeds.get("first", 1)
        seeds = range(first, first + seeds["count"])
    runs = {}
    for model in config["models"]:
        for data in config["data"]:
            for recipe in config["recipes"]:
                if not applies(recipe, model):
                    continue
                # Where nothing is trained, the number of training images makes no difference.
                trains = model != "fasterrcnn" or recipe["train_head"]
                for limit in config["limits"] if trains else ["all"]:
                    for seed in seeds:
                        name = f"{model}-{data_name(data)}-{limit}-{recipe['name']}-seed{seed}"
                        runs[name] = describe_run(config, model, data, recipe, limit, seed)
    if not runs:
        raise WorkflowError("The configuration asks for no run: no recipe is one of its models'")
    return runs


def describe_run(config, model, data, recipe, limit, seed):
    flags = [*MODELS[model]["flags"], *data_flags(data), "--seed", str(seed)]
    trains = model != "fasterrcnn" or recipe["train_head"]
    if model == "simplecnn":
        flags += ["--recipe", recipe["base"]]
    if recipe["train_head"]:
        flags.append("--train-head")
    if trains and limit != "all":
        flags += ["--limit", str(limit)]
    for name in ("epochs", "batch_size", "lr"):
        if trains and name in recipe:
            flags += [f"--{name.replace('_', '-')}", str(recipe[name])]
    flags += common_flags(config, model, recipe)
    size = {
        "model": model,
        "recipe": recipe["base"],
        "trainHead": recipe["train_head"],
        "threads": config["threads"],
        **({} if "epochs" not in recipe else {"epochs": recipe["epochs"]}),
        **({} if "batch_size" not in recipe else {"batchSize": recipe["batch_size"]}),
        **({} if limit == "all" else {"limit": limit}),
        **({} if config["test_limit"] == "all" else {"testLimit": config["test_limit"]}),
    }
    return {
        "part": MODELS[model]["part"],
        "flags": flags,
        "size": size,
        "before": [name for name, _ in preparations_of(config, model, data, recipe)],
    }


def common_flags(config, model, recipe):
    """What a run shares with what is prepared for it."""
    flags = [] if config["test_limit"] == "all" else ["--test-limit", str(config["test_limit"])]
    flags += ["--backend", config["backend"], "--device", config["device"]]
    if "precision" in recipe:
        flags += ["--precision", recipe["precision"]]
    if "weights" in recipe and model != "simplecnn":
        weights = recipe["weights"]
        is_file = weights not in ("pretrained", "convolutions", "random")
        flags += ["--weights", os.path.abspath(weights) if is_file else weights]
    return flags


def preparations_of(config, model, data, recipe):
    """What is fetched and computed once before the runs of a model, by name: part and flags.

    Each is the part itself at its smallest: libtensorflow, data and weights come to the shared cache
    with it. Features are those of the largest limit, of which smaller ones take the first.
    """
    size = {"model": model, "epochs": 1, "threads": config["threads"]}
    yield f"data-{data_name(data)}", {
        "part": 1,
        "flags": [
            *[*data_flags(data), "--backend", config["backend"]],
            *"--limit 32 --test-limit 32 --epochs 1".split(),
        ],
        "size": {**size, "model": "simplecnn", "limit": 32, "testLimit": 32},
    }
    if model == "simplecnn":
        return
    kind = "-".join(
        [data_name(data), *(re.sub(r"\W+", "_", str(recipe[name]))
                            for name in ("weights", "precision") if name in recipe)]
    )
    shared = [*MODELS[model]["flags"], *data_flags(data), *common_flags(config, model, recipe)]
    size["features"] = model != "fasterrcnn"
    if config["test_limit"] != "all":
        size["testLimit"] = config["test_limit"]
    if model == "fasterrcnn":
        # The last of a flag counts.
        yield f"{model}-{kind}", {
            "part": 2,
            "flags": [*shared, "--test-limit", "2"],
            "size": {**size, "testLimit": 2},
        }
        return
    largest = "all" if "all" in config["limits"] else max(config["limits"])
    limits = [] if largest == "all" else ["--limit", str(largest)]
    if limits:
        size["limit"] = largest
    yield f"{model}-{kind}-{largest}-{config['test_limit']}", {
        "part": MODELS[model]["part"],
        "flags": [*shared, *limits, "--epochs", "1"],
        "size": size,
    }


def expand_preparations(config):
    return {
        name: preparation
        for model in config["models"]
        for data in config["data"]
        for recipe in config["recipes"]
        if applies(recipe, model)
        for name, preparation in preparations_of(config, model, data, recipe)
    }


def suite_command(*words):
    """The command of a task of the suite, from whatever folder it is called."""
    task = ["task", "--config", str(SUITE / "deno.json"), *words]
    return " ".join([config["deno"], *map(shlex.quote, task)])


def rates_path():
    """The rates of the nodes, or else of the machine that the sweep was called on, if measured."""
    return config.get("rates", config.get("measured_rates"))


def forecast(sizes):
    """Seconds, memory and disk of each size as the suite's own forecast has them.

    They are the same for the same rates and code, so they are kept: a job reads what the first call,
    which plans all, has written.
    """
    rates = rates_path() or str(WORKFLOW / "rates.json")
    code = [SUITE / name for name in FORECAST_CODE]
    distinct = sorted({json.dumps(size, sort_keys=True) for size in sizes})
    mark = hashlib.sha256("\n".join(distinct).encode())
    for path in [rates, *code]:
        try:
            mark.update(Path(path).read_bytes())
        except OSError as error:
            raise WorkflowError(f"{path} cannot be read: {error.strerror}")
    kept = OUT / "forecasts" / f"{mark.hexdigest()[:16]}.json"
    if not kept.exists():
        keep_forecast(kept, rates, distinct)
    found = json.loads(kept.read_text())
    return {size: found[i] for i, size in enumerate(distinct)}


def keep_forecast(kept, rates, distinct):
    command = [
        *shlex.split(config["deno"]),
        *["run", "-q", "--config", str(SUITE / "deno.json"), "--allow-read"],
        *[str(SUITE / "experiment" / "sweep_forecast.ts"), os.path.abspath(rates)],
    ]
    try:
        result = subprocess.run(
            command, input=f"[{','.join(distinct)}]", capture_output=True, text=True
        )
    except OSError as error:
        raise WorkflowError(
            f"{command[0]} cannot be started ({error.strerror}): set deno in the configuration"
        )
    if result.returncode != 0:
        raise WorkflowError(f"The forecast failed: {result.stderr.strip()}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False) as file:
        file.write(result.stdout)
    os.replace(file.name, kept)


def forecast_of(planned):
    return FORECASTS[json.dumps(planned["size"], sort_keys=True)]


def minutes(planned, attempt):
    """More for every attempt, of which each goes on where the one before ended."""
    return attempt * max(LEAST_MINUTES, round(TIME_MARGIN * forecast_of(planned)["seconds"] / 60 + 1))


def megabytes_of_memory(planned, attempt):
    return round(attempt * MEMORY_MARGIN * forecast_of(planned)["memoryBytes"] / 1e6)


def megabytes_of_disk(planned):
    return round(forecast_of(planned)["diskBytes"] / 1e6 + 1)


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
    features = sum(one["featureBytes"] for one in prepared)
    moved = sum(one["writtenBytes"] + one["readBytes"] for one in [*planned, *prepared])
    largest = max(one["diskBytes"] for one in planned)
    longest = max(one["seconds"] for one in planned)
    return (
        f"Plan: {len(RUNS)} runs with {threads} core{'s' if threads > 1 else ''} each, {hours:.1f} core hours in all, the "
        f"longest run {longest / 60:.0f} min; {kept / 1e9:.2f} GB stay, {largest / 1e9:.2f} GB more "
        f"for each run while it goes on, and {features / 1e9:.1f} GB of features in the cache; "
        f"{moved / 1e9:.0f} GB go through the shared file system. Rates: "
        f"{rates_path() or 'those of the committed results'}."
    )


def mark_planned():
    """Tells `deno task sweep`, where that is what calls, that the configuration was not refused."""
    mark = os.environ.get("MNIST_STUDY_PLANNED")
    if mark is not None:
        Path(mark).touch()
