"""VGG16 and AlexNet in torchvision: golden file of tests/vgg16_alexnet_test.ts.

    python3 tests/reference/vgg16_alexnet.py

writes tests/fixtures/vgg16_alexnet.json. Per model: names and shapes of the state dict with 10
classes, the kinds of the classifier's layers, and the logits of 8 digits. AlexNet's too for a first convolution averaged over its input
channels, and for images of 160 pixels; the adaptive average pool of small feature maps. The weights
come from a formula (`noise`) that the test has as well.

    python3 tests/reference/vgg16_alexnet.py vgg16|alexnet WEIGHTS.safetensors

loads weights strictly and prints the logits of the same digits as JSON.

Needs torch, torchvision, numpy and safetensors. Made with torch 2.13.0 and torchvision 0.28.0.
"""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
import torchvision_import  # noqa: F401
from torchvision import models, transforms

FIXTURES = Path(__file__).parent.parent / "fixtures"
DIGITS = 8
CHUNK = 1 << 24


def noise(count, stream):
    """Uniform in [-1, 1), float64, in pieces: a hash of the element's index."""
    for start in range(0, count, CHUNK):
        i = np.arange(start, min(start + CHUNK, count), dtype=np.uint32)
        h = i * np.uint32(0x9E3779B1) + np.uint32(stream * 0x85EBCA77 & 0xFFFFFFFF)
        h ^= h >> np.uint32(15)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        yield h / 2**31 - 1


def filled(shape, bound, stream):
    pieces = [(piece * bound).astype(np.float32) for piece in noise(int(np.prod(shape)), stream)]
    return torch.from_numpy(np.concatenate(pieces).reshape(shape))


def fill(model):
    """Weights in +-sqrt(6 / fan_in), which keeps the activations' scale; biases in +-0.1."""
    for stream, parameter in enumerate(model.state_dict().values()):
        shape = tuple(parameter.shape)
        bound = 0.1 if len(shape) == 1 else np.sqrt(6 / np.prod(shape[1:]))
        parameter.copy_(filled(shape, bound, stream))
    return model.eval()


def digits():
    """MNIST's first 8 test digits, as PIL images."""
    images = gzip.decompress((FIXTURES / "simple_cnn" / "digits.bin.gz").read_bytes())
    pixels = np.frombuffer(images[: DIGITS * 784], np.uint8).reshape(DIGITS, 28, 28)
    return [Image.fromarray(image) for image in pixels]


def batch(channels, mean, std):
    transform = transforms.Compose([
        transforms.Grayscale(channels), transforms.Resize((224, 224)), transforms.ToTensor(),
        transforms.Normalize(mean, std),
    ])
    return torch.stack([transform(image) for image in digits()])


def rgb():
    return batch(3, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def golden():
    result = {}
    for name in ("vgg16", "alexnet"):
        model = fill(getattr(models, name)(num_classes=10))
        result[name] = {
            "shapes": {key: list(value.shape) for key, value in model.state_dict().items()},
            "classifier": [type(layer).__name__ for layer in model.classifier],
            "dropout": [layer.p for layer in model.classifier if isinstance(layer, nn.Dropout)],
            "logits": model(rgb()).tolist(),
        }
        print(name, result[name]["logits"][0])
    other = filled((2, 3, 160, 160), 2, 100)
    result["alexnet"]["logits_160"] = model(other).tolist()
    first = model.features[0]
    grey = nn.Conv2d(1, 64, 11, stride=4, padding=2)
    grey.weight.copy_(first.weight.mean(dim=1, keepdim=True))
    grey.bias.copy_(first.bias)
    model.features[0] = grey
    result["alexnet"]["logits_grey"] = model(batch(1, (0.449,), (0.226,))).tolist()
    result["adaptive_avg_pool2d"] = []
    for shape, size in (((2, 3, 9, 9), 6), ((1, 2, 4, 5), 6), ((1, 2, 3, 16), 7)):
        maps = filled(shape, 1, sum(shape))
        pooled = nn.functional.adaptive_avg_pool2d(maps, size)
        result["adaptive_avg_pool2d"].append({
            "size": size, "maps": maps.permute(0, 2, 3, 1).tolist(),
            "pooled": pooled.permute(0, 2, 3, 1).tolist(),
        })
    (FIXTURES / "vgg16_alexnet.json").write_text(json.dumps(result) + "\n")


with torch.no_grad():
    if len(sys.argv) > 1:
        import safetensors.torch

        name, path = sys.argv[1:]
        state = safetensors.torch.load_file(path)
        model = getattr(models, name)(num_classes=len(state["classifier.6.bias"])).eval()
        model.load_state_dict(state, strict=True)
        print(json.dumps(model(rgb()).tolist()))
    else:
        golden()
