"""Part 4 of the study in PyTorch and torchvision: the peer that the suite's numbers are set beside.

Fine-tunes VGG16 or AlexNet the way the study does: features frozen but computed again for every
batch of every epoch (once, with `--cache-features`), the whole classifier trained (its last layer
new), one PIL image at a time grown to 224x224 in a DataLoader with two workers, Adam with L2.
Evaluates on the test images and writes the result as JSON:

    deno run -A bench/export_idx.ts --data mnist --out DIR
    python3 bench/reference/study_part4.py --model alexnet --data DIR --weights random --out p.json

`--weights PATH` takes a `.pth` file of the whole network, or a `.safetensors` file that may hold
`features.*` alone; the classifier is then drawn as `torch.nn.Linear` does. `--cache-features` computes
the frozen features once and trains the classifier on them, which is the same training; their time is
epoch 0 of the history and counts as training time. `--device cuda` computes on a graphics card, in
float32 throughout: without the TF32 that PyTorch gives convolutions there, which `--tf32` leaves as it
is. `--weights random` draws the features as the suite does without a checkpoint: He et al. 2015, normal
with standard deviation sqrt(2/fan_in), the last convolution's times a factor that gives features the
size of pretrained ones, biases zero; the classifier as `torch.nn.Linear` does.

Needs torch, torchvision, numpy, Pillow, scikit-learn and, for such a file, safetensors.
"""

import time

import torch
import torchvision
from PIL import Image
from study_run import (
    IdxDigits,
    argument_parser,
    begin,
    device_of,
    evaluate,
    finish_training,
    named_weights,
    positive,
    train,
    write_result,
)
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision import models, transforms

BATCH_SIZE = 32
LEARNING_RATE = 0.0005
WEIGHT_DECAY = 1e-4
WORKERS = 2
NUM_CLASSES = 10
RANDOM_FEATURE_SCALE = {"vgg16": 0.077, "alexnet": 0.157}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PRETRAINED = {
    "vgg16": models.VGG16_Weights.IMAGENET1K_V1,
    "alexnet": models.AlexNet_Weights.IMAGENET1K_V1,
}


class RgbDigits(IdxDigits):
    """Digits as three equal channels of 224x224, normalised by ImageNet's statistics."""

    transform = transforms.Compose([
        transforms.Resize((224, 224)),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ])

    def __getitem__(self, index):
        image = Image.fromarray(self.images[index]).convert("RGB")
        return self.transform(image), int(self.labels[index])  # [3, 224, 224]


def build(name, weights):
    """The network with frozen features and a classifier to be trained."""
    pretrained = weights == "pretrained"
    model = getattr(models, name)(weights=PRETRAINED[name] if pretrained else None)
    if weights == "random":
        draw_features(model, RANDOM_FEATURE_SCALE[name])
        draw_classifier(model)
    elif weights.endswith(".safetensors"):
        load_some(model, weights)
    elif not pretrained:
        model.load_state_dict(torch.load(weights, weights_only=True))
    model.features.requires_grad_(False)
    model.classifier[-1] = nn.Linear(model.classifier[-1].in_features, NUM_CLASSES)
    return model


def load_some(model, path):
    """All features of a file, and what it has of the classifier but its last layer."""
    from safetensors.torch import load_file

    draw_classifier(model)
    state = load_file(path)
    last = f"classifier.{len(model.classifier) - 1}."
    missing, unexpected = model.load_state_dict(
        {name: value for name, value in state.items() if not name.startswith(last)}, strict=False
    )
    if unexpected or any(name.startswith("features.") for name in missing):
        raise SystemExit(f"{path} does not fit: missing {missing}, unexpected {unexpected}")


@torch.no_grad()
def draw_features(model, scale):
    convolutions = [layer for layer in model.features if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    convolutions[-1].weight.mul_(scale)


def draw_classifier(model):
    for layer in model.classifier:
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()  # torchvision draws VGG16's in its own way.


@torch.no_grad()
def cached(model, loader):
    """The features of a set, flattened, with its labels, in the loader's order."""
    model.eval()
    device = device_of(model)
    features, labels = zip(
        *((model.avgpool(model.features(x.to(device))).flatten(1).cpu(), y) for x, y in loader),
        strict=True,
    )
    return TensorDataset(torch.cat(features), torch.cat(labels))


def parse_arguments():
    parser = argument_parser("Part 4 of the study in PyTorch.")
    parser.add_argument("--model", choices=sorted(PRETRAINED), required=True)
    parser.add_argument(
        "--weights",
        default="pretrained",
        metavar="pretrained|random|PATH",
        help="torchvision's ImageNet weights (downloaded), He's random ones, or a .pth or "
        ".safetensors file",
    )
    parser.add_argument(
        "--cache-features", action="store_true", help="compute the frozen features once"
    )
    parser.add_argument("--epochs", type=positive, default=8)
    parser.add_argument(
        "--workers", type=positive, default=WORKERS, help="processes that make images of the digits"
    )
    parser.add_argument("--limit", type=positive, help="train on the first N images only")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    begin(arguments)
    train_set = RgbDigits(arguments.data, "train", arguments.limit)
    test_set = RgbDigits(arguments.data, "t10k", arguments.test_limit)
    workers = arguments.workers
    train_loader = DataLoader(train_set, BATCH_SIZE, shuffle=True, num_workers=workers)
    test_loader = DataLoader(test_set, BATCH_SIZE, num_workers=workers)
    model = build(arguments.model, arguments.weights).to(arguments.device)
    optimizer = torch.optim.Adam(
        model.classifier.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )

    extraction = []
    trained = model
    if arguments.cache_features:
        started = time.perf_counter()
        train_features = cached(model, DataLoader(train_set, BATCH_SIZE, num_workers=workers))
        seconds = time.perf_counter() - started
        extraction = [{"epoch": 0, "train_loss": None, "train_accuracy": None, "time_s": seconds}]
        train_loader = DataLoader(train_features, BATCH_SIZE, shuffle=True)
        test_loader = DataLoader(cached(model, test_loader), BATCH_SIZE)
        trained = model.classifier
    history = extraction + train(trained, train_loader, optimizer, arguments.epochs)
    evaluation = evaluate(trained, test_loader)
    result = {
        "model": f"{arguments.model}_FineTuned",
        **named_weights(arguments.weights),
        **finish_training(arguments, optimizer, train_loader, history, evaluation),
        "workers": workers,
        "cached_features": arguments.cache_features,
    }
    write_result(arguments, result, torchvision=torchvision)


if __name__ == "__main__":
    main()
