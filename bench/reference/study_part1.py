"""Part 1 of the study in PyTorch: the peer that the suite's numbers are set beside.

Trains SimpleCNN from scratch the way the study does (a torchvision-style data set that decodes one
PIL image at a time, a DataLoader with two workers, Adam with L2), evaluates it on the test images
and writes the result as JSON:

    deno run -A bench/export_idx.ts --data mnist --out DIR
    python3 bench/reference/study_part1.py --data DIR --out peer.json

Needs torch, numpy, Pillow and scikit-learn.
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import struct
import time
from pathlib import Path

import numpy as np
import PIL
import sklearn
import torch
from PIL import Image
from simple_cnn import SimpleCNN
from sklearn.metrics import f1_score
from torch import nn
from torch.utils.data import DataLoader, Dataset

BATCH_SIZE = 128
LEARNING_RATE = 0.001
WEIGHT_DECAY = 1e-4
WORKERS = 2
LOG_INTERVAL = 100
MEAN, STD = 0.1307, 0.3081


class IdxDigits(Dataset):
    """Images of a pair of IDX files, each turned into a normalised tensor when it is asked for."""

    def __init__(self, folder, prefix, limit):
        self.images = read_idx(folder, f"{prefix}-images-idx3-ubyte")[:limit]  # [n, 28, 28] 0..255
        self.labels = read_idx(folder, f"{prefix}-labels-idx1-ubyte")[:limit]  # [n] 0..9
        if len(self.images) != len(self.labels):
            raise SystemExit(f"{folder}: {len(self.images)} images but {len(self.labels)} labels")

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = Image.fromarray(self.images[index])
        pixels = torch.from_numpy(np.array(image)).unsqueeze(0).float().div(255)  # [1, 28, 28]
        return (pixels - MEAN) / STD, int(self.labels[index])


def read_idx(folder, name):
    """The bytes of an IDX file, or of the same with `.gz`, as an array."""
    plain, packed = Path(folder, name), Path(folder, f"{name}.gz")
    if not plain.exists() and not packed.exists():
        raise SystemExit(f"{folder} holds neither {plain.name} nor {packed.name}")
    content = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    dimensions = content[3]
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def dataset_sha256(folder):
    """What the suite calls a data set by: training images and labels, then those of the test."""
    digest = hashlib.sha256()
    for prefix in ("train", "t10k"):
        for name in ("images-idx3-ubyte", "labels-idx1-ubyte"):
            digest.update(read_idx(folder, f"{prefix}-{name}").tobytes())
    return digest.hexdigest()


def train_epoch(model, loader, optimizer, epoch):
    """One pass with updates; returns the mean of the batches' losses, the accuracy in % and seconds."""
    model.train()
    device = device_of(model)
    started = time.perf_counter()
    total = len(loader.dataset)
    losses, correct, seen = [], 0, 0
    for index, (images, labels) in enumerate(loader):
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        logits = model(images)
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        correct += (logits.argmax(1) == labels).sum().item()
        if index % LOG_INTERVAL == 0:
            share = 100 * index / len(loader)
            print(f"Train Epoch: {epoch} [{seen}/{total} ({share:.0f}%)]  Loss: {losses[-1]:.6f}")
        seen += len(labels)
    seconds = time.perf_counter() - started
    loss, accuracy = sum(losses) / len(losses), 100 * correct / total
    print(
        f"Epoch {epoch}: average loss {loss:.4f}, accuracy {correct}/{total} ({accuracy:.2f}%), "
        f"time {seconds:.2f} s"
    )
    return loss, accuracy, seconds


def device_of(model):
    return next(model.parameters()).device


@torch.no_grad()
def evaluate(model, loader):
    """The mean of the batches' mean losses, targets and predictions."""
    model.eval()
    device = device_of(model)
    losses, targets, predictions = [], [], []
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        logits = model(images)
        losses.append(nn.functional.cross_entropy(logits, labels).item())
        targets += labels.tolist()
        predictions += logits.argmax(1).tolist()
    return sum(losses) / len(losses), targets, predictions


def parse_arguments():
    parser = argparse.ArgumentParser(description="Part 1 of the study in PyTorch.")
    parser.add_argument("--data", required=True, metavar="DIR", help="folder with four IDX files")
    parser.add_argument("--epochs", type=positive, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads())
    parser.add_argument(
        "--device", type=torch_device, default="cpu", help="in PyTorch's words, such as cuda:0"
    )
    parser.add_argument("--limit", type=positive, help="train on the first N images only")
    parser.add_argument("--test-limit", type=positive, help="test on the first N images only")
    parser.add_argument("--out", metavar="JSON", help="file to write the result to")
    return parser.parse_args()


def torch_device(text):
    try:
        return torch.device(text)
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{text} is no device of PyTorch's") from error


def device_name(device):
    """What the graphics card is called; None of the CPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    train_set = IdxDigits(arguments.data, "train", arguments.limit)
    test_set = IdxDigits(arguments.data, "t10k", arguments.test_limit)
    train_loader = DataLoader(train_set, BATCH_SIZE, shuffle=True, num_workers=WORKERS)
    test_loader = DataLoader(test_set, BATCH_SIZE, num_workers=WORKERS)
    model = SimpleCNN().to(arguments.device)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )

    history = []
    for epoch in range(1, arguments.epochs + 1):
        loss, accuracy, seconds = train_epoch(model, train_loader, optimizer, epoch)
        history.append(
            {"epoch": epoch, "train_loss": loss, "train_accuracy": accuracy, "time_s": seconds}
        )
    test_loss, targets, predictions = evaluate(model, test_loader)
    correct = sum(target == prediction for target, prediction in zip(targets, predictions))
    result = {
        "model": "SimpleCNN",
        "accuracy": 100 * correct / len(targets),
        "test_loss": test_loss,
        "f1": float(f1_score(targets, predictions, average="weighted")),
        "training_time_s": sum(row["time_s"] for row in history),
        "train_images": len(train_set),
        "test_images": len(test_set),
        "dataset_sha256": dataset_sha256(arguments.data),
        "epochs": arguments.epochs,
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "seed": arguments.seed,
        "threads": torch.get_num_threads(),
        "device": str(arguments.device),
        "device_name": device_name(arguments.device),
        "workers": WORKERS,
        "history": history,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "pillow": PIL.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }
    print(
        f"Test: average loss {test_loss:.4f}, accuracy {correct}/{len(targets)} "
        f"({result['accuracy']:.2f}%), F1 {result['f1']:.4f}, "
        f"training time {result['training_time_s']:.2f} s"
    )
    if arguments.out:
        write_atomic(arguments.out, json.dumps(result, indent=2) + "\n")


def write_atomic(path, text):
    temporary = f"{path}.{os.getpid()}.tmp"
    Path(temporary).write_text(text)
    os.replace(temporary, path)


if __name__ == "__main__":
    main()
