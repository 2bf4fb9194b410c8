"""torchvision's fasterrcnn_resnet50_fpn: golden files of
tests/models/detection/{boxes,roi_align}_test.ts and tests/models/faster_rcnn_test.ts.

    python3 tests/reference/faster_rcnn.py [boxes] [roi_align] [detector]

writes tests/fixtures/faster_rcnn/{boxes,roi_align,detector}.json. Weights, images and random boxes
come from formulas that bench/faster_rcnn_formulas.ts and tests/models/faster_rcnn_samples.ts have
too; the files hold results alone.

Needs torch, torchvision and numpy. Made with torch 2.13.0, torchvision 0.28.0.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import MultiScaleRoIAlign, batched_nms, clip_boxes_to_image, nms
from torchvision.ops import remove_small_boxes
from torchvision.ops.poolers import LevelMapper

sys.path.append(str(Path(__file__).parents[2] / "bench" / "reference"))
from faster_rcnn_formulas import formula_weights, image, noise, tensor  # noqa: E402

OUT = Path(__file__).parent.parent / "fixtures" / "faster_rcnn"


def uniform(seed, low, high, *shape):
    return tensor(low + (high - low) * noise(seed, int(np.prod(shape))), *shape)


def boxes_in(seed, count, height, width, most):
    """Boxes with corners on quarters of pixels, sides up to `most`."""
    u = noise(seed, 4 * count).reshape(count, 4)
    x1 = np.floor(u[:, 0] * width * 4) / 4
    y1 = np.floor(u[:, 1] * height * 4) / 4
    x2 = x1 + np.floor(u[:, 2] ** 2 * most * 4) / 4 + 0.25
    y2 = y1 + np.floor(u[:, 3] ** 2 * most * 4) / 4 + 0.25
    return tensor(np.stack([x1, y1, x2, y2], 1), count, 4)


def numbers(values):
    return [float(f"{v:.8g}") for v in torch.as_tensor(values).flatten().tolist()]


def write(name, value):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")) + "\n")


def write_boxes():
    result = {}
    codes = uniform(1, -3, 6, 40, 4)
    boxes = boxes_in(2, 40, 100, 150, 60)
    for name, weights in [("rpn", (1.0, 1.0, 1.0, 1.0)), ("head", (10.0, 10.0, 5.0, 5.0))]:
        coder = BoxCoder(weights)
        result[name] = {
            "decoded": numbers(coder.decode_single(codes, boxes)),
            "encoded": numbers(coder.encode_single(boxes_in(3, 40, 100, 150, 60), boxes)),
        }
    outside = uniform(4, -50, 250, 40, 4)
    result["clipped"] = numbers(clip_boxes_to_image(outside, (120, 170)))
    result["large"] = remove_small_boxes(boxes, 20.25).tolist()

    # Scores in steps, so that many are equal; corners on quarters, so that many overlaps are.
    result["nms"] = []
    for seed, count, steps, groups, threshold in [
        (10, 300, 7, 1, 0.5),
        (11, 300, 2**20, 1, 0.7),
        (12, 900, 25, 9, 0.5),
        (13, 1000, 2**20, 91, 0.5),
        (14, 1001, 25, 5, 0.7),
        (15, 2500, 60, 5, 0.7),
        (16, 1, 1, 1, 0.5),
    ]:
        boxes = boxes_in(seed, count, 60, 80, 40)
        scores = tensor(np.floor(noise(seed + 100, count) * steps) / steps, count)
        idxs = torch.tensor(np.floor(noise(seed + 200, count) * groups).astype(np.int64))
        kept = batched_nms(boxes, scores, idxs, threshold)
        if groups == 1:
            assert kept.tolist() == nms(boxes, scores, threshold).tolist()
        # Of many boxes torchvision sorts what it keeps with an unstable sort; what it keeps counts.
        if count > 1000:
            kept = kept.sort()[0]
            kept = kept[scores[kept].sort(descending=True, stable=True)[1]]
        case = {"seed": seed, "count": count, "steps": steps, "groups": groups}
        result["nms"].append({**case, "threshold": threshold, "kept": kept.tolist()})

    # Two boxes that overlap by exactly the threshold, or nothing at all.
    exact = torch.tensor([[0, 0, 4, 4], [0, 0, 4, 2], [8, 8, 8, 8], [8, 8, 8, 8]], dtype=torch.float32)
    result["exact"] = nms(exact, torch.tensor([0.9, 0.8, 0.7, 0.6]), 0.5).tolist()

    generator = AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5)
    result["cells"] = [numbers(cell) for cell in generator.cell_anchors]
    grids = [(5, 7), (3, 4), (2, 2), (1, 1), (1, 1)]
    images = ImageList(torch.zeros(1, 3, 160, 224), [(160, 224)])
    # The second level's map does not divide the image, as the last level's often does not.
    anchors = generator(images, [torch.zeros(1, 1, *grid) for grid in grids])[0]
    result["anchors"] = {"batch": [160, 224], "grids": grids, "boxes": numbers(anchors)}

    result["proposals"] = proposals()
    write("boxes", result)


def proposals():
    """RegionProposalNetwork.filter_proposals on three levels, for two images."""
    generator = AnchorGenerator(((32,), (64,), (128,)), ((0.5, 1.0, 2.0),) * 3)
    grids = [(24, 32), (12, 16), (6, 8)]
    rpn = RegionProposalNetwork(
        generator, None, 0.7, 0.3, 256, 0.5, {"testing": 1000}, {"testing": 1000}, 0.7
    ).eval()
    counts = [3 * h * w for h, w in grids]
    total = sum(counts)
    # Such that float32's sigmoid tells all of them apart.
    objectness = uniform(20, -6, 6, 2, total)
    codes = uniform(21, -1, 1, 2, total, 4)
    sizes = [(192, 256), (150, 201)]
    images = ImageList(torch.zeros(2, 3, 192, 256), sizes)
    anchors = generator(images, [torch.zeros(2, 1, *grid) for grid in grids])
    decoded = rpn.box_coder.decode(codes.reshape(-1, 4), anchors).reshape(2, total, 4)
    boxes, scores = rpn.filter_proposals(decoded, objectness, sizes, counts)
    return {
        "grids": grids,
        "sizes": sizes,
        "images": [
            {
                "count": len(b),
                "boxes": numbers(b[::25]),
                "scores": numbers(s[::25]),
            }
            for b, s in zip(boxes, scores)
        ],
    }


def write_roi_align():
    result = {}
    # Areas around each level's, to within float32's rounding.
    sides = []
    for base in [28, 56, 112, 224, 448, 896]:
        for factor in [1 - 1e-5, 1 - 5e-7, 1 - 1e-7, 1, 1 + 1e-6]:
            sides.append(base * factor)
    sides.append(0)
    boxes = torch.zeros(len(sides), 4)
    boxes[:, 2:] = tensor(sides, len(sides), 1)
    result["levels"] = LevelMapper(2, 5)([boxes]).tolist()

    sizes = [(180, 250), (192, 200)]
    shapes = [(48, 64), (24, 32), (12, 16), (6, 8)]
    features = {
        str(i): uniform(30 + i, -1, 1, 2, *shape, 4).permute(0, 3, 1, 2)
        for i, shape in enumerate(shapes)
    }
    boxes = [torch.cat([EDGES, boxes_in(40, 12, 180, 250, 250)]), boxes_in(41, 8, 192, 200, 500)]
    pool = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
    pooled = pool(features, boxes, sizes).permute(0, 2, 3, 1)
    result["scales"] = pool.scales
    result["pooled"] = numbers(pooled[:, ::2, 1::2])
    # Of images this low torchvision takes the maps to be half as small as they are.
    low = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
    low([{str(i): torch.zeros(1, 1, 16 >> i, 16 >> i) for i in range(4)}][0], [EDGES], [(33, 40)])
    result["low"] = low.scales
    write("roi_align", result)


# Beyond each edge, on it, tiny at each corner, and all around.
EDGES = torch.tensor(
    [
        [-6, -9, 20, 30],
        [-40, 50, -10, 90],
        [230, 160, 256, 192],
        [250, 186, 262, 198],
        [255.9, 191.9, 256, 192],
        [0, 0, 0.5, 0.5],
        [100, 191, 101, 191.5],
        [-500, -500, 900, 900],
    ],
    dtype=torch.float32,
)


CASES = [
    {"classes": 11, "images": [[28, 28]]},
    {"classes": 91, "images": [[224, 224]]},
    {"classes": 11, "images": [[40, 61], [50, 45]]},
    {"classes": 91, "images": [[30, 100]], "epsilon": 0},
    {"classes": 11, "images": [[97, 64]]},
    {"classes": 91, "images": [[64, 64], [33, 71]]},
]
SMALL = {"min_size": 160, "max_size": 267}
BOX_FEATURES_CASE = CASES[2]
FULL = {"classes": 11, "images": [[224, 224]]}


def run_case(case, size, seed):
    model = fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=case["classes"], **size
    ).eval()
    formula_weights(model)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = case.get("epsilon", 1e-5)
    images = [image(seed + i, *shape) for i, shape in enumerate(case["images"])]
    seen = {"model": model}
    model.backbone.register_forward_hook(lambda _m, _i, out: seen.update(features=out))
    model.rpn.register_forward_hook(lambda _m, _i, out: seen.update(proposals=out[0]))
    with torch.inference_mode():
        detections = model(images)
        seen["sizes"] = model.transform(images)[0].image_sizes
    return detections, seen


def box_features(case, seen):
    """What the box head makes of given boxes: of each image's, every 16th feature."""
    model, features = seen["model"], seen["features"]
    boxes = [boxes_in(50 + i, 3, *shape, 20) for i, shape in enumerate(case["images"])]
    resized = [resize_boxes(b, case["images"][i], seen["sizes"][i]) for i, b in enumerate(boxes)]
    with torch.inference_mode():
        pooled = model.roi_heads.box_roi_pool(features, resized, seen["sizes"])
        return numbers(model.roi_heads.box_head(pooled)[:, ::16])


def smallest_gap(detections):
    return min(float((d["scores"][:-1] - d["scores"][1:]).min()) for d in detections)


def write_detector():
    cases = []
    for index, (case, size) in enumerate([(c, SMALL) for c in CASES] + [(FULL, {})]):
        # Sums in another order move scores by some 1e-6: images whose scores are further apart.
        for seed in range(500 + 100 * index, 600 + 100 * index, 10):
            detections, seen = run_case(case, size, seed)
            if smallest_gap(detections) > 1e-5:
                break
        features = []
        for level in seen["features"].values():
            flat = level.permute(0, 2, 3, 1).flatten()
            features.append(numbers(flat[:: flat.numel() // 20 + 1]))
        record = {**case, **size, "seed": seed, "features": features, "detections": []}
        if case is BOX_FEATURES_CASE:
            record["boxFeatures"] = box_features(case, seen)
        for boxes, found in zip(seen["proposals"], detections):
            record["detections"].append(
                {
                    "proposals": len(boxes),
                    "firstProposals": numbers(boxes[:20]),
                    "boxes": numbers(found["boxes"]),
                    "scores": numbers(found["scores"]),
                    "labels": found["labels"].tolist(),
                }
            )
        print(case, "gap", smallest_gap(detections))
        cases.append(record)
    write("detector", cases)


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["boxes", "roi_align", "detector"]
    for part in wanted:
        {"boxes": write_boxes, "roi_align": write_roi_align, "detector": write_detector}[part]()
