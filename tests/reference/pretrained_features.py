"""Features of torchvision's pretrained VGG16 and AlexNet: golden file of
tests/models/pretrained_features_test.ts.

    python3 tests/reference/pretrained_features.py ALEXNET.safetensors VGG16.safetensors

takes the convolutions that `--weights convolutions` leaves in the cache's folder of weights and
writes tests/fixtures/pretrained_features.safetensors: of MNIST's first 100 test digits (those of
simple_cnn/digits.bin.gz) every n-th feature, n = ceil(size / 250), flattened as PyTorch does, and the
sum of each image's features in float64.

Needs torch, torchvision, numpy, pillow and safetensors. Made with torch 2.13.0 and torchvision 0.28.0.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
from PIL import Image

import torchvision_import  # noqa: F401
from torchvision import models, transforms

FIXTURES = Path(__file__).parent.parent / "fixtures"
SAMPLE = 250

transform = transforms.Compose([
    transforms.Grayscale(3), transforms.Resize((224, 224)), transforms.ToTensor(),
    transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
])
data = gzip.decompress((FIXTURES / "simple_cnn" / "digits.bin.gz").read_bytes())
pixels = np.frombuffer(data[: 100 * 784], np.uint8).reshape(100, 28, 28)
images = torch.stack([transform(Image.fromarray(image)) for image in pixels])

golden = {}
for name, path in zip(("alexnet", "vgg16"), sys.argv[1:], strict=True):
    model = getattr(models, name)()
    state = safetensors.torch.load_file(path)
    convolutions = {key.removeprefix("features."): value for key, value in state.items()}
    model.features.load_state_dict(convolutions, strict=True)
    with torch.no_grad():
        batches = [model.avgpool(model.features(batch)).flatten(1) for batch in images.split(10)]
    features = torch.cat(batches)
    stride = -(-features.shape[1] // SAMPLE)
    golden[f"{name}.sample"] = features[:, ::stride].contiguous().numpy()
    golden[f"{name}.sums"] = features.double().sum(1).numpy()
    print(name, tuple(features.shape), f"mean {features.mean():.4f}, largest {features.max():.2f}")
safetensors.numpy.save_file(golden, FIXTURES / "pretrained_features.safetensors")
