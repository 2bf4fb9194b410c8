"""Writes tests/fixtures/metrics.json: scikit-learn's metrics on generated cases.

Run from the repository root: python3 tests/reference/metrics.py
Needs numpy and scikit-learn.
"""

import json
import warnings

import numpy as np
import sklearn
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

warnings.filterwarnings("ignore")
rng = np.random.default_rng(3)


def guesses(n, targets, right, choices):
    """Predictions that copy the target with probability `right` and else draw from `choices`."""
    return np.where(rng.random(n) < right, targets, rng.choice(choices, n))


cases = {}


def add(name, targets, predictions):
    targets, predictions = np.asarray(targets), np.asarray(predictions)
    classes = int(max(targets.max(), predictions.max())) + 1
    cases[name] = {
        "targets": targets.tolist(),
        "predictions": predictions.tolist(),
        "confusion": confusion_matrix(targets, predictions, labels=range(classes)).tolist(),
        "accuracy": float(accuracy_score(targets, predictions)),
        "f1": float(f1_score(targets, predictions, average="weighted", zero_division=0)),
    }


for right in (0.0, 0.5, 0.95):
    targets = rng.integers(0, 10, 200)
    add(f"ten classes, {right:.0%} copied", targets, guesses(200, targets, right, range(10)))
targets = rng.choice([0, 3, 7], 60)
add("absent classes", targets, guesses(60, targets, 0.6, [0, 3, 7]))
targets = rng.choice([1, 2], 40)
add("predicted labels that are never true", targets, guesses(40, targets, 0.5, [0, 5, 9]))
add("true labels that are never predicted", rng.integers(0, 5, 30), np.full(30, 2))
add("one class only, all right", np.full(12, 4), np.full(12, 4))
add("one class only, all wrong", np.full(12, 4), np.full(12, 6))
add("one class only, label 0", np.zeros(5, int), np.zeros(5, int))
add("one sample, right", [1], [1])
add("one sample, wrong", [1], [0])
targets = rng.choice(10, 150, p=[0.64] + [0.04] * 9)
add("unbalanced", targets, guesses(150, targets, 0.8, range(10)))
# The published result of part 2: every image read as a 1 gives accuracy 11.35 % on MNIST's test set.
counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
targets = np.repeat(range(10), counts)
ones = np.ones(len(targets), int)
mnist_ones = {
    "accuracy": float(accuracy_score(targets, ones)),
    "f1": float(f1_score(targets, ones, average="weighted", zero_division=0)),
}

with open("tests/fixtures/metrics.json", "w") as file:
    file.write('{\n"scikit-learn": ' + json.dumps(sklearn.__version__) + ",\n")
    file.write('"mnistAllOnes": ' + json.dumps(mnist_ones) + ',\n"cases": {\n')
    lines = [json.dumps(name) + ": " + json.dumps(case) for name, case in cases.items()]
    file.write(",\n".join(lines) + "\n}\n}\n")
