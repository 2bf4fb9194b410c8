"""Whether a configuration makes sense: all its mistakes in words, before anything is planned."""

import math

# Where each backend computes.
DEVICES = {
    "tensorflow": ("auto", "cpu", "gpu"),
    "webgpu": ("auto", "gpu", "software"),
    "wasm": ("auto", "cpu"),
}

# What the parts take at most: of training images with train_head, and of seeds.
MOST_HEAD_IMAGES = 2500
LAST_SEED = 2_000_000_000

# Training images of the data that have names.
TRAIN_IMAGES = 60_000


def check_config(config):
    """Fails with one line for each mistake, which names where it is and what would be right."""
    refuse([line for path in workflow.overwrite_configfiles for line in repeated_keys(path)])
    path = WORKFLOW / "schemas" / "config.schema.yaml"
    validator = jsonschema.Draft202012Validator(yaml.safe_load(path.read_text()))
    mistakes = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.path)))
    refuse([describe_mistake(mistake) for mistake in mistakes])
    validate(config, str(path))
    config.update(whole_numbers(config))
    config["recipes"] = [full_recipe(recipe) for recipe in config["recipes"]]
    names = [recipe["name"] for recipe in config["recipes"]]
    refuse(
        [
            *repetitions("recipes", names),
            *repetitions("data", [data_name(data) for data in config["data"]]),
            *same_runs(config),
            *(line for data in config["data"] for line in data_mistakes(data)),
            *(line for recipe in config["recipes"] for line in recipe_mistakes(config, recipe)),
            *machine_mistakes(config),
            *seed_mistakes(config["seeds"]),
        ]
    )


def repeated_keys(path):
    """What a file has twice in one place, of which YAML takes the last without a word."""
    try:
        root = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError):
        # Snakemake has read it, or has said why not.
        return []
    return list(keys_twice(root, "the file"))


def keys_twice(node, where):
    if isinstance(node, yaml.MappingNode):
        keys = [str(key.value) for key, _ in node.value]
        yield from (f"{where}: {key} is there twice" for key in sorted({*keys}) if keys.count(key) > 1)
        for key, (_, value) in zip(keys, node.value):
            yield from keys_twice(value, key)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from keys_twice(value, f"{where}[{index}]")


def refuse(lines):
    if lines:
        raise WorkflowError("\n  ".join(["The configuration is wrong:", *lines]))


def whole_numbers(value):
    """The same with 10 in place of 10.0, which the schema takes for a whole number and no flag does."""
    if isinstance(value, dict):
        return {key: whole_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Mistakes that only something of the right form can have.
FORM_FITS = ("required", "additionalProperties", "minItems", "uniqueItems")


def describe_mistake(error):
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path]
    where = "".join(parts).lstrip(".") or "the file"
    number = number_in(error.instance)
    if number is not None and error.validator in ("type", "oneOf"):
        return f"{where}: {error.instance!r} is text in YAML; the number is {number}"
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


def number_in(value):
    """How YAML 1.1 has a number that it takes for text, as 1e-4; nothing of any other value."""
    if not isinstance(value, str) or not re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value):
        return None
    mantissa, exponent = value.lower().split("e")
    point = "" if "." in mantissa else ".0"
    sign = "" if exponent[0] in "+-" else "+"
    return f"{mantissa}{point}e{sign}{exponent}"


def describe_schema(schema):
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return " or ".join(map(repr, schema["enum"]))
    if "$ref" in schema:
        return "settings with a name"
    least = f" of {schema['minimum']} or more" if "minimum" in schema else ""
    return f"{'a list' if schema['type'] == 'array' else 'an ' + schema['type']}{least}"


def repetitions(what, names):
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield f"{what}: there are two of {', '.join(twice)}"


def same_runs(config):
    """What would be run twice, under two names."""
    if "auto" in config["data"] and "mnist" in config["data"]:
        yield "data: auto is mnist: name one of them"
    named = [data for data in config["data"] if data in DATA_NAMES]
    whole = [limit for limit in config["limits"] if limit == "all" or limit >= TRAIN_IMAGES]
    if named and len(whole) > 1:
        yield f"limits: {list_words(whole)} are all images of {list_words(named)}: name one of them"
    settings = [
        {name: value for name, value in recipe.items() if name not in ("name", "asked")}
        for recipe in config["recipes"]
    ]
    for index, recipe in enumerate(config["recipes"]):
        if settings[index] in settings[:index]:
            other = config["recipes"][settings.index(settings[index])]
            if other["name"] != recipe["name"]:
                yield f"recipes: {other['name']} and {recipe['name']} are the same: name one of them"


def data_mistakes(data):
    if data not in DATA_NAMES and is_missing(data, os.path.isdir):
        yield f"data: there is no folder {data} (known are {list_words(DATA_NAMES)})"


def recipe_mistakes(config, recipe):
    """What is wrong with a recipe's settings, each by itself of the right form."""
    where = f"recipe {recipe['name']}"
    for model in recipe["asked"]:
        if lack_of(recipe, model):
            yield f"{where}: {lack_of(recipe, model)}"
    if not recipe["asked"] and all(lack_of(recipe, model) for model in MODELS):
        yield f"{where}: no model has all of its settings"
    if "lr" in recipe and not math.isfinite(recipe["lr"]):
        yield f"{where}: lr: {recipe['lr']} is no number to learn with"
    if recipe.get("precision") == "bf16" and config["backend"] != "tensorflow":
        yield f"{where}: precision: {config['backend']} has no bf16, tensorflow alone has it"
    models = [model for model in config["models"] if applies(recipe, model)]
    yield from (f"{where}: {line}" for line in weights_mistakes(recipe, models))
    if recipe["train_head"] and models:
        for limit in config["limits"]:
            if limit == "all" or limit > MOST_HEAD_IMAGES:
                yield (
                    f"{where}: train_head takes {MOST_HEAD_IMAGES} training images at most, whose "
                    f"features fit into memory, and limits has {limit}"
                )


def weights_mistakes(recipe, models):
    weights = recipe.get("weights", "random")
    if weights in WEIGHTS:
        return
    if is_missing(weights, os.path.isfile):
        yield f"weights: there is no file {weights} (known are {list_words(WEIGHTS)})"
    if len(models) > 1:
        yield f"weights: a file is of one model, not of {list_words(models)}: name one by models"


def machine_mistakes(config):
    backend, device = config["backend"], config["device"]
    if device not in DEVICES[backend]:
        yield f"device: {backend} has {list_words(DEVICES[backend])}, not {device}"


def seed_mistakes(seeds):
    if isinstance(seeds, dict) and seeds.get("first", 1) + seeds["count"] - 1 > LAST_SEED:
        yield f"seeds: the last would be greater than {LAST_SEED}"


def is_missing(path, is_there):
    """Whether a path leads nowhere; one of the nodes alone need not be there on this machine."""
    is_elsewhere = os.path.isabs(path) and not SHARED_FILES
    return not is_elsewhere and not is_there(path)


def list_words(words):
    *others, last = map(str, words)
    return f"{', '.join(others)} and {last}" if others else last
