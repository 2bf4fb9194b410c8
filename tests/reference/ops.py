"""Writes tests/fixtures/ops.json: PyTorch's values and gradients for the operations of engine/ops.ts
and models/layers.ts, and part 1's transform of every grey value.

    python3 tests/reference/ops.py

Needs torch. Made with torch 2.13.0.
"""

import json
from pathlib import Path

import torch
from torch.nn import functional as F


def cross_entropy():
    logits = torch.tensor([
        [0.5, -1.0, 2.0, 0.0], [3.0, 3.0, 3.0, 3.0], [100.0, -100.0, 0.0, 50.0],
        [-1e4, 0.0, 1e4, 1.0], [1e-3, 2e-3, -1e-3, 0.0],
    ], requires_grad=True)
    labels = torch.tensor([2, 0, 1, 2, 3])
    losses = F.cross_entropy(logits, labels, reduction="none")
    weights = torch.tensor([1.0, 0.5, 2.0, 1.0, -3.0])
    (losses * weights).sum().backward()
    return {
        "logits": logits.tolist(), "labels": labels.tolist(), "losses": losses.tolist(),
        "weights": weights.tolist(), "gradient": logits.grad.tolist(),
    }


def max_pool():
    """Ties of two, three and four, zeros after a ReLU among them; the fifth row and column drop out."""
    images = torch.tensor([
        [1.0, 1.0, 0.0, 0.0, 9.0], [0.0, 1.0, 0.0, 0.0, 9.0], [2.0, 3.0, -1.0, -2.0, 9.0],
        [3.0, 2.0, -1.0, -1.0, 9.0], [9.0, 9.0, 9.0, 9.0, 9.0],
    ]).reshape(1, 1, 5, 5).requires_grad_()
    pooled = F.max_pool2d(images, 2)
    above = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 1, 2, 2)
    pooled.backward(above)
    return {
        "images": images.flatten().tolist(), "pooled": pooled.flatten().tolist(),
        "above": above.flatten().tolist(), "gradient": images.grad.flatten().tolist(),
    }


def relu():
    x = torch.tensor([-2.0, -0.0, 0.0, 1e-30, 3.0], requires_grad=True)
    F.relu(x).backward(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
    return {"x": x.tolist(), "y": F.relu(x).tolist(), "gradient": x.grad.tolist()}


def mnist28():
    grey = torch.arange(256, dtype=torch.uint8)
    return grey.to(torch.float32).div(255).sub(0.1307).div(0.3081).tolist()


golden = {
    "crossEntropy": cross_entropy(), "maxPool": max_pool(), "relu": relu(), "mnist28": mnist28(),
}
out = Path(__file__).parent.parent / "fixtures" / "ops.json"
out.write_text(json.dumps(golden) + "\n")
