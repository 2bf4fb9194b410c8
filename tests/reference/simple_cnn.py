"""SimpleCNN in PyTorch: golden files of tests/models/simple_cnn_parity_test.ts.

    python3 tests/reference/simple_cnn.py

writes to tests/fixtures/simple_cnn/ (digits.bin.gz there is made by simple_cnn_digits.ts):

- zip.pth.gz, stream.pth.gz: a checkpoint by torch.save in both its forms. The weights repeat a short
  sequence, so that 12.8 MB compress to little.
- golden.safetensors: logits of 100 digits; one step of Adam with L2 on all of them ("one"), and five
  steps on 20 each ("five"), both from that checkpoint and without dropout: the losses; of every
  parameter every n-th value, n = ceil(size / 600), and the sum of each output unit's values in
  float64; after five steps every n-th value of Adam's moments too.

    python3 tests/reference/simple_cnn.py WEIGHTS.safetensors

loads weights strictly and prints the logits of the same digits as JSON.

Needs torch, numpy and safetensors. Made with torch 2.13.0.
"""

import gzip
import io
import json
import sys
from pathlib import Path

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
from torch import nn
from torch.nn import functional as F

OUT = Path(__file__).parent.parent / "fixtures" / "simple_cnn"
PERIOD = 2003  # prime, so that no two units have the same weights
SAMPLE = 600
STEPS = 5
# Adam divides a gradient by its own size, so where one is about 1e-8 (Adam's epsilon) or less, float32
# rounding in it moves the parameter by up to the learning rate. These bounds of the weights, in
# 1/sqrt(fan_in), and these seeds are chosen so that no parameter's float32 result is further than
# STABLE from the float64 one. With all bounds 1 some 10 to 30 of the 3.2 million are, by up to 4e-5.
BOUND = {"conv1": 1, "conv2": 0.5, "fc1": 8, "fc2": 0.05}
FIRST_SEED = 65
STABLE = 5e-6


class SimpleCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5, padding=2)
        self.conv2 = nn.Conv2d(32, 64, 5, padding=2)
        self.fc1 = nn.Linear(64 * 7 * 7, 1000)
        self.fc2 = nn.Linear(1000, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


def digits():
    """Normalised images [100, 1, 28, 28] and labels [100]."""
    data = gzip.decompress((OUT / "digits.bin.gz").read_bytes())
    pixels = torch.tensor(list(data[:78400]), dtype=torch.uint8).reshape(100, 1, 28, 28)
    images = pixels.to(torch.float32).div(255).sub(0.1307).div(0.3081)
    return images, torch.tensor(list(data[78400:]))


def repeated(seed, count, bound):
    """Values in ±bound, shifted up a little, that repeat after PERIOD (a linear congruence)."""
    state, tile = seed, []
    for _ in range(PERIOD):
        state = (1664525 * state + 1013904223) % 2**32
        tile.append(bound * (2 * state / 2**32 - 0.97))
    return torch.tensor(np.resize(np.array(tile, np.float32), count))


def checkpoint():
    model = SimpleCNN()
    fan_in = {"conv1": 25, "conv2": 800, "fc1": 3136, "fc2": 1000}
    state = model.state_dict()
    for seed, (name, value) in enumerate(state.items(), FIRST_SEED):
        layer, kind = name.split(".")
        bound = fan_in[layer] ** -0.5 * (BOUND[layer] if kind == "weight" else 1)
        state[name] = repeated(seed, value.numel(), bound).reshape(value.shape)
    return state


def save(name, state, **options):
    file = io.BytesIO()
    torch.save(state, file, **options)
    (OUT / name).write_bytes(gzip.compress(file.getvalue(), mtime=0))


def batch(step):
    """Indices of step 1..5: 20 digits, all different, in no plain order."""
    return [(7 * (20 * (step - 1) + i) + 3) % 100 for i in range(20)]


def train(state, batches, dtype):
    """Losses, parameters and Adam's moments after one step per batch."""
    images, labels = digits()
    model = SimpleCNN()
    model.load_state_dict(state)
    model.to(dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=1e-4)
    losses = []
    for indices in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[indices].to(dtype)), labels[indices])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    named = {name: value.detach() for name, value in model.named_parameters()}
    moments = [optimizer.state[value] for value in model.parameters()]
    return {
        "losses": losses,
        "parameters": named,
        "exp_avg": {name: state["exp_avg"] for name, state in zip(named, moments)},
        "exp_avg_sq": {name: state["exp_avg_sq"] for name, state in zip(named, moments)},
    }


def golden(state):
    images, labels = digits()
    model = SimpleCNN()
    model.load_state_dict(state)
    with torch.no_grad():
        logits = model(images)
    print(f"logits from {logits.min():.3f} to {logits.max():.3f}")
    result = {"logits": logits.numpy(), "labels": labels.to(torch.uint8).numpy()}
    for run, batches in {
        "one": [list(range(100))],
        "five": [batch(step) for step in range(1, STEPS + 1)],
    }.items():
        single, double = (train(state, batches, dtype) for dtype in (torch.float32, torch.float64))
        result[f"{run}.losses"] = np.array(single["losses"])
        print(f"{run} losses {single['losses']}")
        kinds = ["parameters"] if run == "one" else ["parameters", "exp_avg", "exp_avg_sq"]
        for kind in kinds:
            for name, value in single[kind].items():
                error = (value - double[kind][name]).abs().max().item()
                print(f"{run} {kind} {name}: float32 is within {error:.1e} of float64")
                flat = value.numpy().ravel()
                key = f"{run}.{kind}.{name}"
                result[f"{key}.sample"] = flat[:: -(-flat.size // SAMPLE)].copy()
                if kind == "parameters":
                    assert error <= STABLE
                    result[f"{key}.sums"] = value.double().reshape(len(value), -1).sum(1).numpy()
    safetensors.numpy.save_file(result, OUT / "golden.safetensors")


torch.set_num_threads(2)
if len(sys.argv) > 1:
    model = SimpleCNN()
    model.load_state_dict(safetensors.torch.load_file(sys.argv[1]), strict=True)
    with torch.no_grad():
        print(json.dumps(model(digits()[0]).tolist()))
else:
    state = checkpoint()
    save("zip.pth.gz", state)
    save("stream.pth.gz", state, _use_new_zipfile_serialization=False)
    golden(state)
