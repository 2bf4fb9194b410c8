"""Writes tests/fixtures/head_training.json: torchvision's box targets, loss and one training step.

    python3 tests/reference/head_training.py

The predictor has 11 classes and 6 features. Made with torch 2.13.0 and torchvision 0.28.0.
"""

import json
from pathlib import Path

import numpy
import torch
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.ops import box_iou

FEATURES, CLASSES, COUNT = 6, 11, 12
torch.manual_seed(5)


def listed(tensor):
    return [float(value) for value in tensor.detach().flatten()]


def boxes(count):
    corners = torch.rand(count, 2, 2, dtype=torch.float64).mul(224).sort(dim=1).values
    return (corners + torch.tensor([[0.0, 0.0], [4.0, 4.0]])).reshape(count, 4)


truths, proposals = boxes(COUNT), boxes(COUNT)
coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
targets = coder.encode_single(truths, proposals)
pairs = {
    "truths": truths.tolist(),
    "proposals": proposals.tolist(),
    "targets": targets.tolist(),
    "ious": box_iou(truths, proposals).diagonal().tolist(),
    # float32, as decoding has it.
    "decoded": coder.decode_single(targets.float(), proposals.float()).tolist(),
}

predictor = FastRCNNPredictor(FEATURES, CLASSES)
start = {name: listed(value) for name, value in predictor.state_dict().items()}
features = torch.randn(COUNT, FEATURES)
labels = torch.tensor([1, 0, 10, 0, 0, 5, 1, 0, 0, 0, 7, 0])
# Near enough to the predictor's own deltas that both branches of smooth L1 are taken.
deltas = torch.randn(COUNT, 4) * 0.4
optimizer = torch.optim.Adam(predictor.parameters(), lr=0.01, weight_decay=1e-4)
losses, correct, states = [], [], []
for step in range(3):
    logits, regression = predictor(features)
    loss = sum(fastrcnn_loss(logits, regression, [labels], [deltas]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    correct.append(int((logits.argmax(1) == labels).sum()))
    states.append({name: listed(value) for name, value in predictor.state_dict().items()})

background = torch.zeros(3, dtype=torch.int64)
wide = torch.linspace(-4, 4, 3 * CLASSES * 4).reshape(3, -1)
none = sum(fastrcnn_loss(wide[:, :CLASSES], wide, [background], [torch.ones(3, 4)]))

golden = {
    "pairs": pairs,
    "start": start,
    "features": listed(features),
    "labels": labels.tolist(),
    "deltas": listed(deltas),
    "losses": losses,
    "correct": correct,
    "states": states,
    "backgroundOnly": none.item(),
    "percentiles": [
        {"values": values, "percent": percent, "expected": float(numpy.percentile(values, percent))}
        for values in ([3.5], [2.0, 1.0], [9.0, 1.0, 4.0, 4.0, 30.0, 2.5], list(range(100, 0, -1)))
        for percent in (0, 5, 50, 95, 99.9, 100)
    ],
}
out = Path(__file__).parent.parent / "fixtures" / "head_training.json"
out.write_text(json.dumps(golden) + "\n")
