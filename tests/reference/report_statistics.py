"""Writes tests/fixtures/report_statistics.json: intervals and tests by scipy and statsmodels, and the number
of parameters of the study's models by torch and torchvision.

Run from the repository root: python3 tests/reference/report_statistics.py
Needs numpy, scipy, scikit-learn, statsmodels, torch and torchvision.
"""

import json
import warnings

import numpy as np
import scipy
import statsmodels
import torch
import torchvision
from scipy import stats
from sklearn.metrics import f1_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttost_ind
from torch import nn
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)


def wilson(successes, trials, confidence=0.95):
    low, high = proportion_confint(successes, trials, 1 - confidence, method="wilson")
    return {"successes": successes, "trials": trials, "low": float(low), "high": float(high)}


def exact_mcnemar(first, second):
    p = mcnemar([[0, first], [second, 0]], exact=True).pvalue
    return {"onlyFirst": first, "onlySecond": second, "p": float(p)}


def corrected(p_values):
    return {"p": p_values, "holm": multipletests(p_values, method="holm")[1].tolist()}


def guessing(support):
    images = sum(support)
    rarest = min(count for count in support if count > 0) / images
    return {
        "support": support,
        "low": float(stats.binom.ppf(0.025, images, rarest) / images),
        "high": float(stats.binom.ppf(0.975, images, max(support) / images) / images),
    }


def prediction(values, confidence=0.95):
    """Where the next of such values is expected: Student's t on the differences of means."""
    n, sd = len(values), np.std(values, ddof=1)
    low, high = stats.t.interval(confidence, n - 1, np.mean(values), sd * np.sqrt(1 + 1 / n))
    return {"values": values, "low": float(low), "high": float(high)}


def equivalence(first, second, margin):
    """Welch's test, its interval, and the two one-sided tests, from statsmodels and from scipy."""
    welch = stats.ttest_ind(first, second, equal_var=False)
    interval = welch.confidence_interval(0.9)
    p = ttost_ind(np.array(first), np.array(second), -margin, margin, usevar="unequal")[0]
    one_sided = [
        stats.ttest_ind(np.array(first) + shift, second, equal_var=False, alternative=side).pvalue
        for shift, side in [(margin, "greater"), (-margin, "less")]
    ]
    assert np.isclose(p, max(one_sided))
    return {
        "first": first,
        "second": second,
        "margin": margin,
        "welch": float(welch.pvalue),
        "equivalence": float(p),
        "low90": float(interval.low),
        "high90": float(interval.high),
    }


def weighted_f1(true, predicted):
    return f1_score(true, predicted, average="weighted", zero_division=0)


def percentiles(targets, predictions, resamples, random, confidence=0.95):
    """The percentile bootstrap's interval of weighted F1."""
    low, high = stats.bootstrap(
        (targets, predictions), weighted_f1, paired=True, vectorized=False, n_resamples=resamples,
        confidence_level=confidence, method="percentile", random_state=random,
    ).confidence_interval
    return {"low": float(low), "high": float(high)}


def bootstrap(classes, images, right):
    targets = rng.integers(0, classes, images)
    predictions = np.where(rng.random(images) < right, targets, rng.integers(0, classes, images))
    confusion = np.zeros((classes, classes), int)
    np.add.at(confusion, (targets, predictions), 1)
    return {
        "confusion": confusion.tolist(),
        "f1": float(weighted_f1(targets, predictions)),
        **percentiles(targets, predictions, 4000, rng),
    }


def confident_bootstrap(confusion, confidence):
    """Of a confusion matrix, with draws of its own: few of them are beyond such an interval."""
    cells = np.indices(np.shape(confusion)).reshape(2, -1)
    targets, predictions = np.repeat(cells, np.ravel(confusion), axis=1)
    return percentiles(targets, predictions, 20_000, np.random.default_rng(11), confidence)


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


with torch.device("meta"):
    simple_cnn = nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.Conv2d(32, 64, 5, padding=2),
        nn.Linear(3136, 1000), nn.Linear(1000, 10),
    )
    detector = torchvision.models.detection.fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=91
    )
    detector.roi_heads.box_predictor = FastRCNNPredictor(1024, 11)
    # torchvision freezes batch normalisation, by its own layer, only where weights are loaded.
    batch_norms = [m for m in detector.modules() if isinstance(m, nn.BatchNorm2d)]
    parameters = {
        "SimpleCNN": count(simple_cnn),
        "FasterRCNN_Adapted": count(detector) - sum(count(norm) for norm in batch_norms),
        "vgg16_FineTuned": count(torchvision.models.vgg16(num_classes=10)),
        "alexnet_FineTuned": count(torchvision.models.alexnet(num_classes=10)),
    }

fixture = {
    "versions": {
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "torchvision": torchvision.__version__.split("+")[0],
    },
    "wilson": [
        wilson(*case)
        for case in [(0, 10), (10, 10), (1, 1), (5, 10), (1964, 2000), (9927, 10000), (1135, 10000)]
    ],
    "mcnemar": [
        exact_mcnemar(*case)
        for case in [(0, 0), (1, 0), (0, 6), (14, 24), (24, 14), (7, 7), (40, 81), (300, 8900)]
    ],
    "holm": [
        corrected(values)
        for values in [[0.04], [0.01, 0.04, 0.03], [0.5, 0.6, 0.001], [0.02, 0.02, 0.9, 1.0]]
    ],
    "guessing": [
        guessing(support)
        for support in [
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009], [200] * 10, [0, 7, 3], [12],
        ]
    ],
    "prediction": [
        prediction(values)
        for values in [[0.0224, 0.03], [99.1, 99.2, 99.15], rng.normal(98, 0.2, 10).tolist()]
    ],
    "bootstrap": [bootstrap(10, 2000, 0.98), bootstrap(10, 500, 0.6), bootstrap(3, 200, 0.0)],
    "parameters": parameters,
    "confident": {
        "confidence": 1 - 0.05 / 8,
        "wilson": wilson(9927, 10000, 1 - 0.05 / 8),
        "prediction": prediction([99.1, 99.2, 99.15], 1 - 0.05 / 8),
    },
    "equivalence": [
        equivalence(*case)
        for case in [
            ([99.19, 99.22, 99.3, 99.16, 99.25], [99.24, 99.2, 99.31], 0.2),
            ([98.0, 98.05, 97.8], [98.1, 97.55, 97.5], 1),
            ([99.2, 99.3], [98.9, 98.7], 0.2),
            ([99.2, 99.2, 99.2], [99.1, 99.3], 0.2),
        ]
    ],
}
fixture["confident"]["bootstrap"] = [
    confident_bootstrap(case["confusion"], fixture["confident"]["confidence"])
    for case in fixture["bootstrap"]
]
with open("tests/fixtures/report_statistics.json", "w") as file:
    json.dump(fixture, file, indent=1)
    file.write("\n")
