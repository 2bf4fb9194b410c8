"""What the configuration asks for: the runs, what they need, and what is prepared before them."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
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

# Words that stand for a data set; all else is a folder.
DATA_NAMES = ("auto", "mnist", "fashion")

# Words that stand for weights; all else is a file.
WEIGHTS = ("pretrained", "convolutions", "random")

# What a forecast depends on besides rates and sizes.
FORECAST_CODE = (
    "experiment/checkpoint_forecast.ts",
    "experiment/forecast.ts",
    "experiment/sweep_forecast.ts",
    "models/alexnet.ts",
    "models/detection/faster_rcnn_layout.ts",
    "models/frozen_feature_layout.ts",
    "models/simple_cnn.ts",
    "models/vgg16.ts",
    "study.ts",
    "training/detection/box_features.ts",
    "training/detection/digit_boxes.ts",
)

# The pinned versions of libtensorflow.
LIBRARIES = re.findall(
    r'version: "(.*?)"',
    (SUITE / "engine" / "library" / "releases.ts").read_text(encoding="utf-8"),
)

# Asked of the engine beyond what is expected: a slower node, a busy file system.
TIME_MARGIN = 3
MEMORY_MARGIN = 1.5
LEAST_MINUTES = 10


def full_recipe(recipe):
    if isinstance(recipe, str):
        recipe = {"name": recipe, "base": recipe}
    recipe = {"base": "published", "train_head": False, **recipe}
    return {**recipe, "models": recipe.get("models", list(MODELS)), "asked": recipe.get("models", [])}


def lack_of(recipe, model):
    """Which of a recipe's settings a model does not have, in words; nothing if it has all."""
    if recipe["base"] != "published" and model != "simplecnn":
        return f"{model} has no {recipe['base']} recipe"
    if recipe["train_head"] and model != "fasterrcnn":
        return f"train_head is of fasterrcnn, not {model}"
    if not trains(recipe, model):
        untrained = [name for name in ("epochs", "batch_size", "lr") if name in recipe]
        if untrained:
            return f"fasterrcnn is trained with train_head alone, and has no {untrained[0]} without"
    if "weights" in recipe and model == "simplecnn":
        return "simplecnn starts from no weights"
    if recipe.get("weights") == "convolutions" and model == "fasterrcnn":
        return "fasterrcnn has no weights of convolutions alone"
    return None


def trains(recipe, model):
    return model != "fasterrcnn" or recipe["train_head"]


def applies(recipe, model):
    return model in recipe["models"] and lack_of(recipe, model) is None


def data_name(data):
    """A data set in the name of a folder; of a folder its name and a mark of its path."""
    if data in DATA_NAMES:
        return data
    path = os.path.abspath(data)
    name = re.sub(r"[^A-Za-z0-9_.]+", "_", os.path.basename(path))
    return f"{name}.{mark_of(path)}"


def mark_of(text):
    """Six characters that are others for another text."""
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def data_flags(data):
    return ["--data", data if data in DATA_NAMES else os.path.abspath(data)]


def seeds_of(config):
    seeds = config["seeds"]
    if isinstance(seeds, dict):
        first = seeds.get("first", 1)
        return range(first, first + seeds["count"])
    return seeds


def expand_runs(config):
    """Every run by its name: what is asked of which part, and the size that it has."""
    seeds = seeds_of(config)
    runs = {}
    for model in config["models"]:
        for data in config["data"]:
            for recipe in config["recipes"]:
                if not applies(recipe, model):
                    continue
                # Where nothing is trained, the number of training images makes no difference.
                for limit in config["limits"] if trains(recipe, model) else ["all"]:
                    for seed in seeds:
                        name = f"{model}-{data_name(data)}-{limit}-{recipe['name']}-seed{seed}"
                        runs[name] = describe_run(config, model, data, recipe, limit, seed)
    if not runs:
        raise WorkflowError("The configuration asks for no run: no recipe is one of its models'")
    return runs


def describe_run(config, model, data, recipe, limit, seed):
    flags = [*MODELS[model]["flags"], *data_flags(data), "--seed", str(seed)]
    if model == "simplecnn":
        flags += ["--recipe", recipe["base"]]
    if recipe["train_head"]:
        flags.append("--train-head")
    if limit != "all":
        flags += ["--limit", str(limit)]
    # Part 2's own --batch-size is of the detector, which is not trained.
    batch_size = "--head-batch-size" if model == "fasterrcnn" else "--batch-size"
    for name, flag in (("epochs", "--epochs"), ("batch_size", batch_size), ("lr", "--lr")):
        if name in recipe:
            flags += [flag, str(recipe[name])]
    flags += [*test_limit_flags(config), *common_flags(config, recipe)]
    size = {
        **size_of(config, model),
        "recipe": recipe["base"],
        "trainHead": recipe["train_head"],
        **({} if "epochs" not in recipe else {"epochs": recipe["epochs"]}),
        **({} if "batch_size" not in recipe else {"batchSize": recipe["batch_size"]}),
        **({} if limit == "all" else {"limit": limit}),
        **({} if config["test_limit"] == "all" else {"testLimit": config["test_limit"]}),
    }
    return {
        "part": MODELS[model]["part"],
        "flags": flags,
        "size": size,
        "before": [name for name, _ in preparations_of(config, model, data, recipe, seed)],
    }


def size_of(config, model):
    """What decides a forecast of all that is done with a model."""
    return {"model": model, **{name: config[name] for name in ("threads", "backend", "device")}}


def test_limit_flags(config):
    return [] if config["test_limit"] == "all" else ["--test-limit", str(config["test_limit"])]


def common_flags(config, recipe):
    """What a run shares with what is prepared for it."""
    flags = ["--backend", config["backend"], "--device", config["device"]]
    if "precision" in recipe:
        flags += ["--precision", recipe["precision"]]
    if "weights" in recipe:
        weights = recipe["weights"]
        flags += ["--weights", weights if weights in WEIGHTS else os.path.abspath(weights)]
    return flags


def preparations_of(config, model, data, recipe, seed):
    """What is fetched and computed once before the runs of a model, by name: part and flags.

    Each is the part itself at its smallest: libtensorflow, data and weights come to the shared cache
    with it. Features are those of the largest limit, of which smaller ones take the first. Random
    weights are of a seed, and so are their features.
    """
    size = {**size_of(config, model), "epochs": 1}
    smallest = {"model": "simplecnn", "limit": 32, "testLimit": 32}
    yield describe_preparation(
        f"data-{data_name(data)}",
        1,
        [
            *[*data_flags(data), "--backend", config["backend"], "--device", config["device"]],
            *"--limit 32 --test-limit 32 --epochs 1".split(),
        ],
        {**size, **smallest},
    )
    if model == "simplecnn":
        return
    name = f"{model}-{data_name(data)}"
    part = MODELS[model]["part"]
    shared = [*MODELS[model]["flags"], *data_flags(data), *common_flags(config, recipe)]
    if model == "fasterrcnn":
        flags = [*shared, "--test-limit", "2"]
        yield describe_preparation(name, part, flags, {**size, "features": False, "testLimit": 2})
        return
    largest = "all" if "all" in config["limits"] else max(config["limits"])
    limits = [] if largest == "all" else ["--limit", str(largest)]
    own = ["--seed", str(seed)] if recipe.get("weights") == "random" else []
    yield describe_preparation(
        f"{name}-{largest}-{config['test_limit']}",
        part,
        [*shared, *test_limit_flags(config), *limits, *own, "--epochs", "1"],
        {
            **size,
            "features": True,
            **({} if largest == "all" else {"limit": largest}),
            **({} if config["test_limit"] == "all" else {"testLimit": config["test_limit"]}),
        },
    )


def describe_preparation(name, part, flags, size):
    """Under a name that is another for other flags or libraries: what is there was prepared with these."""
    mark = mark_of(" ".join([*flags, *LIBRARIES]))
    return f"{name}.{mark}", {"part": part, "flags": flags, "size": size}


def expand_preparations(config):
    return {
        name: preparation
        for model in config["models"]
        for data in config["data"]
        for recipe in config["recipes"]
        if applies(recipe, model)
        for seed in seeds_of(config)
        for name, preparation in preparations_of(config, model, data, recipe, seed)
    }


def suite_command(*words):
    """The command of a task of the suite, from whatever folder it is called."""
    task = ["task", "--config", str(SUITE / "deno.json"), *words]
    return " ".join([config["deno"], *map(shlex.quote, task)])


def rates_path():
    """The rates of the nodes, or else of the machine that the sweep was called on, if measured."""
    return config.get("rates", config.get("measured_rates"))


def rates_file():
    return rates_path() or str(WORKFLOW / "rates.json")


def forecast(sizes):
    """Seconds, memory and disk of each size as the suite's own forecast has them.

    They are the same for the same rates and code, so they are kept: a job reads what the first call,
    which plans all, has written.
    """
    rates = rates_file()
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
    write_whole(kept, result.stdout)


def write_whole(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not by tempfile, whose files are for their user alone: others of a group go on with a sweep.
    whole = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    whole.write_text(text)
    os.replace(whole, path)


def forecast_of(planned):
    return FORECASTS[json.dumps(planned["size"], sort_keys=True)]


def minutes(planned, attempt):
    """More for every attempt, of which each goes on where the one before ended."""
    return attempt * max(LEAST_MINUTES, round(TIME_MARGIN * forecast_of(planned)["seconds"] / 60 + 1))


def megabytes_of_memory(planned, attempt):
    return round(attempt * MEMORY_MARGIN * forecast_of(planned)["memoryBytes"] / 1e6)


def megabytes_of_disk(planned):
    return round(forecast_of(planned)["diskBytes"] / 1e6 + 1)
