"""A detector's weights and images by formula, the same as bench/faster_rcnn_formulas.ts makes.

Used by transfer.py and by tests/reference/faster_rcnn.py. Needs torch and numpy.
"""

import numpy as np
import torch


def noise(seed, count):
    """Numbers 0 <= u < 1, a mixing of each index's bits."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1)
    x += np.uint32(seed * 0x85EBCA77 % 2**32)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x2C1B3C6D)
    x ^= x >> np.uint32(12)
    x *= np.uint32(0x297A2D39)
    x ^= x >> np.uint32(15)
    return x / 2.0**32


def tensor(values, *shape):
    return torch.tensor(np.asarray(values, dtype=np.float32)).reshape(*shape)


def image(seed, height, width):
    """An image [3, h, w] in 0..1: coarse blocks, finer ones on them, and noise."""
    value = 0
    for block, strength in [(16, 0.5), (5, 0.3), (1, 0.2)]:
        rows, columns = -(-height // block), -(-width // block)
        coarse = noise(seed * 10 + block, 3 * rows * columns).reshape(rows, columns, 3)
        value = value + strength * coarse.repeat(block, 0).repeat(block, 1)[:height, :width]
    return tensor(value, height, width, 3).permute(2, 0, 1).contiguous()


def weight_range(name, shape):
    """Middle and half width of a parameter's values."""
    kind = name.split(".")[-1]
    if kind == "running_var":
        return 1, 0.3
    if kind == "running_mean":
        return 0, 0.1
    if len(shape) == 1 and kind == "weight":
        # The branch that is added to the shortcut is weak, so that sums do not grow.
        return (0.4, 0.1) if ".bn3." in name else (1, 0.3)
    if kind == "bias":
        return 0, 0.1
    # Chosen for scores and boxes that differ, some of them good, as a trained network's do.
    scales = {
        "fpn.layer_blocks": 0.1,
        "rpn.head.cls_logits": 0.6,
        "rpn.head.bbox_pred": 0.4,
        "box_predictor.cls_score": 1.2,
        "box_predictor.bbox_pred": 3,
    }
    scale = next((scale for part, scale in scales.items() if part in name), 1)
    return 0, scale * (6 / np.prod(shape[1:])) ** 0.5


def formula_weights(model):
    state = model.state_dict()
    seed = 1000
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        seed += 1
        middle, half = weight_range(name, value.shape)
        values = (middle + half * (2 * noise(seed, value.numel()) - 1)).astype(np.float32)
        state[name] = torch.from_numpy(values).reshape(value.shape)
    model.load_state_dict(state)
