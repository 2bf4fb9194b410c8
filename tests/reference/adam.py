"""Writes tests/fixtures/adam.json: torch.optim.Adam on a tiny problem.

    python3 tests/reference/adam.py

The loss is the sum of (weight - target)² · scale, so the gradient is 2 scale (weight - target); a scale
of 0 leaves the L2 term alone, and the weight at 0 has neither. Made with torch 2.13.0.
"""

import json
from pathlib import Path

import torch

START = {"weight": [[0.5, -1.25, 2.0], [0.0, 3.0, -0.7]], "bias": [0.25, -4.0]}
TARGET = {"weight": [[1.0, 1.0, 1.0], [0.0, 3.0, 0.4]], "bias": [0.75, 100.0]}
SCALE = {"weight": [[1.0, 0.01, 30.0], [1.0, 0.0, 1.0]], "bias": [1.0, 1e-6]}
CASES = {
    "the defaults": {"lr": 0.001},
    "L2 as in the study": {"lr": 0.001, "weight_decay": 1e-4},
    "L2 that weighs": {"lr": 0.05, "weight_decay": 0.1},
    "other betas and epsilon": {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.01},
}
KEPT = [1, 2, 10]


def run(options):
    parameters = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in START.items()}
    optimizer = torch.optim.Adam(parameters.values(), **options)
    after = {}
    for step in range(1, max(KEPT) + 1):
        optimizer.zero_grad()
        loss = sum(
            ((value - torch.tensor(TARGET[name])) ** 2 * torch.tensor(SCALE[name])).sum()
            for name, value in parameters.items()
        )
        loss.backward()
        optimizer.step()
        if step in KEPT:
            after[step] = {
                name: {
                    "value": value.detach().flatten().tolist(),
                    "exp_avg": optimizer.state[value]["exp_avg"].flatten().tolist(),
                    "exp_avg_sq": optimizer.state[value]["exp_avg_sq"].flatten().tolist(),
                }
                for name, value in parameters.items()
            }
    return after


cases = [{"name": name, "options": options, "after": run(options)} for name, options in CASES.items()]
golden = {"start": START, "target": TARGET, "scale": SCALE, "cases": cases}
out = Path(__file__).parent.parent / "fixtures" / "adam.json"
out.write_text(json.dumps(golden, indent=1) + "\n")
