"""What the peer does of parts 4 and 2: torchvision's frozen features, classifiers and detector.

Weights are random: they do not change how long the work takes. The detector's do, so both sides
make them and the image by the same formulas. Only one of these models is kept at a time, as
VGG16 with its optimiser's state takes 2 GB. Needs torch, and torchvision, which is looked for when
a model is asked for.
"""

import torch
from torch.nn.functional import cross_entropy

CASES = (
    "alexnet_features",
    "alexnet_classifier",
    "vgg16_features",
    "vgg16_classifier",
    "detector",
    "detector_batch",
)
BATCH_SIZE = 32
LEARNING_RATE = 0.0005
WEIGHT_DECAY = 1e-4
NUM_CLASSES = 10
DETECTOR_CLASSES = 91
FIRST_IMAGE_SEED = 1


def make_unit(bench, case, options, precision):
    """A function that does one unit of `case`, one of `CASES`."""
    from torchvision import models

    name, _, what = case.partition("_")
    if name == "detector":
        count = BATCH_SIZE if what == "batch" else 1
        return detector(bench, models.detection, count, options, precision)
    model = getattr(models, name)(weights=None, num_classes=NUM_CLASSES)
    make = {"features": features, "classifier": classifier}[what]
    return make(bench, model, options, precision)


def features(bench, model, options, precision):
    """The features of a batch of images that is in memory."""
    layout = torch.channels_last if options.get("channels_last") else torch.contiguous_format
    frozen = model.features.eval().to(bench.device, memory_format=layout)
    images = torch.randn(BATCH_SIZE, 3, 224, 224, device=bench.device).to(memory_format=layout)

    def unit():
        with torch.no_grad(), bench.autocast(precision):
            return frozen(images).float().cpu()

    return unit


def classifier(bench, model, options, precision):
    """One training step of the whole classifier, dropout on, on features that are in memory."""
    trained = model.classifier.train().to(bench.device)
    call = torch.compile(trained) if options.get("compile") else trained
    optimizer = torch.optim.Adam(
        trained.parameters(),
        lr=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        fused=options.get("fused"),
    )
    inputs = next(layer for layer in trained if isinstance(layer, torch.nn.Linear)).in_features
    flat = torch.rand(BATCH_SIZE, inputs, device=bench.device)
    labels = torch.randint(0, NUM_CLASSES, (BATCH_SIZE,), device=bench.device)

    def unit():
        optimizer.zero_grad()
        with bench.autocast(precision):
            loss = cross_entropy(call(flat), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return unit


def detector(bench, detection, count, options, precision):
    """What Faster R-CNN detects in a batch of images of 224x224 that are in memory.

    It is one call unless told otherwise.
    """
    from faster_rcnn_formulas import formula_weights, image

    model = detection.fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=DETECTOR_CLASSES
    )
    formula_weights(model)
    model.eval().to(bench.device)
    images = [image(FIRST_IMAGE_SEED + i, 224, 224).to(bench.device) for i in range(count)]
    size = options.get("batch", count)
    calls = [images[start:start + size] for start in range(0, count, size)]

    def unit():
        with torch.no_grad(), bench.autocast(precision):
            return [found["scores"].cpu() for call in calls for found in model(call)]

    return unit
