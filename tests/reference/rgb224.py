"""The transform of the 224x224 models: golden file of tests/rgb224_test.ts.

    python3 tests/reference/rgb224.py

writes tests/fixtures/rgb224.json: of 100 digits and of 20 images of noise, enlarged by PIL as
torchvision's Resize does, the SHA-256 of all pixels and one row of the first image; what ToTensor and
Normalize make of every grey value, for three channels and for one.

Needs torch, torchvision, numpy and pillow. Made with torchvision 0.28.0 and pillow 12.
"""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image
import torchvision_import  # noqa: F401
from torchvision import transforms

FIXTURES = Path(__file__).parent.parent / "fixtures"


def digits():
    data = gzip.decompress((FIXTURES / "simple_cnn" / "digits.bin.gz").read_bytes())
    return np.frombuffer(data[: 100 * 784], np.uint8).reshape(100, 28, 28)


def noise():
    """The upper byte of a hash of the pixel's index."""
    h = np.arange(20 * 784, dtype=np.uint32) * np.uint32(0x9E3779B1)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x85EBCA6B)
    return (h >> np.uint32(24)).astype(np.uint8).reshape(20, 28, 28)


def enlarged(images):
    resize = transforms.Compose([transforms.Grayscale(3), transforms.Resize((224, 224))])
    result = np.stack([np.asarray(resize(Image.fromarray(image))) for image in images])
    assert (result == result[..., :1]).all()
    return result[..., 0]


def normalized(mean, std):
    greys = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(1, 256))
    transform = transforms.Compose([
        transforms.Grayscale(len(mean)), transforms.ToTensor(),
        transforms.Normalize(mean, std),
    ])
    return transform(greys).squeeze(1).T.tolist()  # [256, channels]


golden = {
    name: {"sha256": hashlib.sha256(large.tobytes()).hexdigest(), "row": large[0, 100].tolist()}
    for name, large in (("digits", enlarged(digits())), ("noise", enlarged(noise())))
}
golden["rgb"] = normalized((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
golden["grey"] = normalized((0.449,), (0.226,))
(FIXTURES / "rgb224.json").write_text(json.dumps(golden) + "\n")
