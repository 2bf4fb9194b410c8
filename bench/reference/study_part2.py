"""Part 2 of the study in PyTorch and torchvision: the peer that the suite's numbers are set beside.

Runs Faster R-CNN with a new predictor of 11 classes over the test images, one at a time: grown to
224x224 as PIL does, normalised by ImageNet's statistics (the detector then normalises them again,
as in the study), and the best detection taken for the digit. Writes the result as JSON:

    deno run -A bench/export_idx.ts --data mnist --out DIR
    python3 bench/reference/study_part2.py --data DIR --weights random --out peer.json

`--weights PATH` takes a `.pth` file of torchvision's detector, whose predictor is replaced, or a
`.safetensors` file of the whole detector with its predictor, such as `deno task export` writes of one
of our runs: both sides then have the same weights, and `deno task compare` says of how many images
they have the same answer. Of batch normalisation's epsilon weights say nothing: it is what the notes of
such a file say, and 0 with torchvision's own COCO weights by path too. `--device cuda` computes on a
graphics card, in float32, without TF32 unless `--tf32` is given.

Its time per image is the model call's alone. Needs torch, torchvision, numpy, Pillow, scikit-learn
and, for such a file, safetensors.
"""

import statistics
import time

import torch
import torchvision
from study_part4 import RgbDigits
from study_run import (
    argument_parser,
    begin,
    file_sha256,
    named_weights,
    scores,
    write_result,
)
from torch import nn
from torchvision.models.detection import (
    FasterRCNN_ResNet50_FPN_Weights,
    fasterrcnn_resnet50_fpn,
)
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.ops import FrozenBatchNorm2d

NUM_CLASSES = 11
NO_DETECTION = -1
# How the SHA-256 of COCO_V1's file begins.
COCO_V1_SHA256 = "258fb6c6"


def build(weights):
    """The detector with a predictor that knows nothing yet."""
    if weights.endswith(".safetensors"):
        return whole(weights)
    known = FasterRCNN_ResNet50_FPN_Weights.COCO_V1 if weights == "pretrained" else None
    model = fasterrcnn_resnet50_fpn(weights=known, weights_backbone=None)
    if weights not in ("pretrained", "random"):
        model.load_state_dict(torch.load(weights, weights_only=True))
        if file_sha256(weights).startswith(COCO_V1_SHA256):
            set_epsilon(model, 0.0)  # As torchvision does with the weights that it fetches.
    inputs = model.roi_heads.box_predictor.cls_score.in_features
    model.roi_heads.box_predictor = FastRCNNPredictor(inputs, NUM_CLASSES)
    return model.eval()


def set_epsilon(model, epsilon):
    """Has all batch normalisation add this to a variance, in both of torchvision's kinds of layer."""
    for layer in model.modules():
        if isinstance(layer, (nn.BatchNorm2d, FrozenBatchNorm2d)):
            layer.eps = epsilon


def notes_of(path):
    """What a file that we exported says of itself; nothing of any other."""
    if not path.endswith(".safetensors"):
        return {}
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        notes = file.metadata() or {}
    return notes if notes.get("exported_by") == "deno task export" else {}


def whole(path):
    """The detector of a file that has all of it."""
    from safetensors.torch import load_file

    model = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=NUM_CLASSES)
    missing, unexpected = model.load_state_dict(load_file(path), strict=False)
    missing = [name for name in missing if not name.endswith(".num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"{path} does not fit: missing {missing}, unexpected {unexpected}")
    epsilon = notes_of(path).get("batch_norm_epsilon")
    if epsilon is not None:
        set_epsilon(model, float(epsilon))
    return model.eval()


def read_digit(detection):
    """The best detection's digit; that of the best after it where it is background."""
    order = detection["scores"].argsort(descending=True, stable=True)
    labels = detection["labels"][order].cpu()
    digits = labels[labels != 0] - 1
    return int(digits[0]) if len(digits) > 0 else NO_DETECTION


def parse_arguments():
    parser = argument_parser("Part 2 of the study in PyTorch.")
    parser.add_argument(
        "--weights",
        default="pretrained",
        metavar="pretrained|random|PATH",
        help="torchvision's COCO weights (downloaded), its random ones, or a .pth or .safetensors "
        "file",
    )
    return parser.parse_args()


@torch.no_grad()
def main():
    arguments = parse_arguments()
    begin(arguments)
    test_set = RgbDigits(arguments.data, "t10k", arguments.test_limit)
    device = arguments.device
    model = build(arguments.weights).to(device)

    targets, predictions, seconds = [], [], []
    for index in range(len(test_set)):
        image, target = test_set[index]
        image = image.to(device)
        started = time.perf_counter()
        detection = model([image])[0]
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - started)
        targets.append(target)
        predictions.append(read_digit(detection))
    valid = [(t, p) for t, p in zip(targets, predictions) if p != NO_DETECTION]
    result = {
        "model": "FasterRCNN_Adapted",
        **named_weights(arguments.weights),
        **scores([t for t, _ in valid], [p for _, p in valid]),
        "evaluated_images": len(valid),
        "test_images": len(targets),
        "run": notes_of(arguments.weights).get("run_id"),
        "predictions": predictions,
        "inference_ms_per_image": 1000 * statistics.mean(seconds),
        "median_ms_per_image": 1000 * statistics.median(seconds),
    }
    print(
        f"Test: accuracy {result['accuracy']:.2f}% of {len(valid)}, F1 {result['f1']:.4f}, "
        f"{len(targets) - len(valid)} without a detection, "
        f"{result['inference_ms_per_image']:.0f} ms an image"
    )
    write_result(arguments, result, torchvision=torchvision)


if __name__ == "__main__":
    main()
