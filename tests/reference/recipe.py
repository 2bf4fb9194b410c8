"""Writes tests/fixtures/recipe.json: what our recipes for part 1 have beyond the study's, by PyTorch.

    python3 tests/reference/recipe.py

Muon's iteration is PyTorch's own, run in float32 instead of bfloat16. Made with torch 2.13.0.
"""

import json
import math
from pathlib import Path

import numpy
import torch
from torch.nn import functional as F
from torch.optim import _muon, swa_utils

generator = torch.Generator().manual_seed(1)


def normal(*shape):
    return torch.randn(shape, generator=generator)


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def label_smoothing():
    logits = (normal(6, 10) * 3).requires_grad_()
    labels = torch.tensor([0, 9, 3, 3, 7, 1])
    cases = []
    for smoothing in (0.0, 0.1, 1.0):
        loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        (gradient,) = torch.autograd.grad(loss, logits)
        cases.append({"smoothing": smoothing, "loss": loss.item(), "gradient": numbers(gradient)})
    return {"logits": numbers(logits), "labels": labels.tolist(), "cases": cases}


class Float32Gradient(torch.Tensor):
    """Its bfloat16 is float32, so that PyTorch's iteration runs in the precision of the test."""

    def bfloat16(self):
        return self.as_subclass(torch.Tensor)


def muon():
    cases = []
    for shape in ((4, 12), (12, 4), (5, 2, 3, 3)):
        start, gradients = normal(*shape), [normal(*shape) for _ in range(3)]
        matrix = torch.nn.Parameter(start.flatten(1).clone())
        original = _muon._zeropower_via_newtonschulz
        _muon._zeropower_via_newtonschulz = lambda grad, *rest: original(
            grad.as_subclass(Float32Gradient), *rest
        )
        optimizer = torch.optim.Muon([matrix], lr=0.05, weight_decay=0.1, momentum=0.9)
        for gradient in gradients:
            matrix.grad = gradient.flatten(1).clone()
            optimizer.step()
        _muon._zeropower_via_newtonschulz = original
        cases.append({
            "shape": shape, "start": numbers(start), "gradients": [numbers(g) for g in gradients],
            "after": numbers(matrix), "momentum": numbers(optimizer.state[matrix]["momentum_buffer"]),
        })
    return {"options": {"lr": 0.05, "weight_decay": 0.1, "momentum": 0.9}, "cases": cases}


def affine():
    """Images of 28×28 by affine_grid and grid_sample, for draws from -1 to 1 and the settings."""
    settings = {"shift": 2, "rotation": 10, "shear": 0.1, "scale": 0.15}
    images = torch.rand((4, 1, 28, 28), generator=generator)
    images[:, :, 14, :] = 1
    draws = torch.rand((4, 6), generator=generator) * 2 - 1
    draws[0] = 0
    right, down, turn, slant, width, height = draws.T
    angle = turn * settings["rotation"] * math.pi / 180
    sx, sy = 1 + width * settings["scale"], 1 + height * settings["scale"]
    shift_x, shift_y = (d * settings["shift"] / 14 for d in (right, down))
    theta = torch.stack([
        torch.stack([angle.cos() * sx, -angle.sin() * sy + slant * settings["shear"], shift_x], 1),
        torch.stack([angle.sin() * sx, angle.cos() * sy, shift_y], 1),
    ], 1)
    grid = F.affine_grid(theta, images.shape, align_corners=False)
    warped = F.grid_sample(images, grid, align_corners=False)
    return {
        "settings": settings, "draws": draws.tolist(),
        "images": [round(v, 4) for v in images.flatten().tolist()],
        "warped": [round(v, 4) for v in warped.flatten().tolist()],
    }


def average():
    decay, values = 0.8, [normal(3) for _ in range(4)]
    model = torch.nn.Linear(3, 1, bias=False)
    averaged = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay))
    means = []
    for value in values:
        model.weight.data = value.reshape(1, 3).clone()
        averaged.update_parameters(model)
        means.append(numbers(averaged.module.weight))
    return {"decay": decay, "values": [numbers(value) for value in values], "means": means}


def eigen():
    """Largest eigenvalue first; each vector's largest number is above 0."""
    x = normal(12, 8).double().numpy()
    matrix = x.T @ x / 12
    values, vectors = numpy.linalg.eigh(matrix)
    values, vectors = values[::-1], vectors[:, ::-1]
    largest = vectors[numpy.abs(vectors).argmax(0), numpy.arange(8)]
    vectors = vectors * numpy.sign(largest)
    return {"matrix": matrix.tolist(), "values": values.tolist(), "vectors": vectors.tolist()}


golden = {
    "eigen": eigen(), "labelSmoothing": label_smoothing(), "muon": muon(), "affine": affine(), "average": average(),
}
out = Path(__file__).parent.parent / "fixtures" / "recipe.json"
out.write_text(json.dumps(golden) + "\n")
