"""AlexNet's classifier trained in PyTorch: golden file of tests/training/fine_tuning_parity_test.ts.

    python3 tests/reference/fine_tuning.py

writes tests/fixtures/fine_tuning.json: the losses of 20 steps without dropout, and with dropout for
each of ten seeds. Parameters and features come from formulas that the
test has as well, so both sides start from the same state and see the same batches in the same order.

Needs torch and numpy. Made with torch 2.13.0.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.append(str(Path(__file__).parents[2] / "bench" / "reference"))
from faster_rcnn_formulas import noise, tensor  # noqa: E402

OUT = Path(__file__).parent.parent / "fixtures" / "fine_tuning.json"
CHANNELS, AREA, HIDDEN, CLASSES = 256, 36, 4096, 10
IMAGES, BATCH, STEPS = 320, 32, 20
LAYERS = {"classifier.1": (CHANNELS * AREA, HIDDEN), "classifier.4": (HIDDEN, HIDDEN),
          "classifier.6": (HIDDEN, CLASSES)}


def network(dropout):
    """torchvision's AlexNet from its classifier on, with parameters uniform in +-1/sqrt(fan_in)."""
    model = nn.Sequential(
        nn.Dropout(dropout), nn.Linear(CHANNELS * AREA, HIDDEN), nn.ReLU(),
        nn.Dropout(dropout), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES),
    )
    state = {}
    for seed, (name, (inputs, outputs)) in enumerate(LAYERS.items(), 1):
        index = name.split(".")[1]
        bound = inputs**-0.5
        weight = bound * (2 * noise(2 * seed, inputs * outputs) - 1)
        bias = bound * (2 * noise(2 * seed + 1, outputs) - 1)
        state[f"{index}.weight"] = tensor(weight, outputs, inputs)
        state[f"{index}.bias"] = tensor(bias, outputs)
    model.load_state_dict(state)
    return model


def batches():
    """Features [n, c * h * w], half of them 0 as after ReLU, near to their class's own."""
    size = CHANNELS * AREA
    own = [2 * noise(100 + digit, size) - 1 for digit in range(CLASSES)]
    features, labels = [], []
    for image in range(IMAGES):
        digit = image * 7 % CLASSES
        value = own[digit] + 2 * (2 * noise(1000 + image, size) - 1)
        features.append(np.maximum(value, 0).astype(np.float32))
        labels.append(digit)
    return torch.from_numpy(np.stack(features)), torch.tensor(labels)


def train(model, features, labels):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.0005, weight_decay=1e-4)
    losses = []
    for step in range(STEPS):
        start = step * BATCH % IMAGES
        optimizer.zero_grad()
        logits = model(features[start:start + BATCH])
        loss = nn.functional.cross_entropy(logits, labels[start:start + BATCH])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main():
    features, labels = batches()
    losses = train(network(0.0), features, labels)
    dropout_losses = []
    for seed in range(10):
        torch.manual_seed(seed)
        dropout_losses.append(train(network(0.5), features, labels))
    golden = {"losses": losses, "dropout_losses": dropout_losses}
    OUT.write_text(json.dumps(golden, indent=1) + "\n")
    print(golden)


main()
