"""What the study's parts in PyTorch share: flags, the images, training, evaluation, the result.

`study_part1.py`, `study_part2.py` and `study_part4.py` say what each does and how it is run.
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import struct
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import PIL
import sklearn
import torch
from machine import machine
from PIL import Image
from sklearn.metrics import f1_score
from torch import nn
from torch.utils.data import Dataset

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


def argument_parser(description):
    """The flags that every part has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, metavar="DIR", help="folder with four IDX files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads())
    parser.add_argument(
        "--device", type=torch_device, default="cpu", help="in PyTorch's words, such as cuda:0"
    )
    parser.add_argument(
        "--tf32", action="store_true", help="leave TF32 on GPUs as PyTorch's defaults have it"
    )
    parser.add_argument("--test-limit", type=positive, help="test on the first N images only")
    parser.add_argument("--out", metavar="JSON", help="file to write the result to")
    return parser


def torch_device(text):
    try:
        return torch.device(text)
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{text} is no device of PyTorch's") from error


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def begin(arguments):
    """Sets threads, seed and, unless TF32 is asked for, float32 throughout."""
    torch.set_num_threads(arguments.threads)
    if not arguments.tf32:
        torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(arguments.seed)


def train(model, loader, optimizer, epochs):
    """Trains for so many epochs; returns what each was like."""
    history = []
    for epoch in range(1, epochs + 1):
        loss, accuracy, seconds = train_epoch(model, loader, optimizer, epoch)
        history.append(
            {"epoch": epoch, "train_loss": loss, "train_accuracy": accuracy, "time_s": seconds}
        )
    return history


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


def scores(targets, predictions):
    """Accuracy in percent and F1, both 0 where there is nothing to score."""
    if len(targets) == 0:
        return {"accuracy": 0, "f1": 0}
    correct = sum(target == prediction for target, prediction in zip(targets, predictions))
    return {
        "accuracy": 100 * correct / len(targets),
        "f1": float(f1_score(targets, predictions, average="weighted")),
    }


def finish_training(arguments, optimizer, loader, history, evaluation):
    """Tells what training has come to; returns what every part that trains has in its result."""
    test_loss, targets, predictions = evaluation
    settings = optimizer.param_groups[0]
    found = {
        **scores(targets, predictions),
        "test_loss": test_loss,
        "training_time_s": sum(row["time_s"] for row in history),
        "train_images": len(loader.dataset),
        "test_images": len(targets),
        "epochs": arguments.epochs,
        "batch_size": loader.batch_size,
        "learning_rate": settings["lr"],
        "weight_decay": settings["weight_decay"],
        "history": history,
    }
    print(
        f"Test: average loss {test_loss:.4f}, accuracy {found['accuracy']:.2f}%, "
        f"F1 {found['f1']:.4f}, training time {found['training_time_s']:.2f} s"
    )
    return found


def named_weights(weights):
    """What the result calls `--weights`: a file by its name alone, and its SHA-256."""
    if weights in ("pretrained", "random"):
        return {"weights": weights}
    return {"weights": Path(weights).name, "weights_sha256": file_sha256(weights)}


def file_sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def write_result(arguments, result, **libraries):
    """Writes a result, with what it was found with, where `--out` asks for it."""
    if not arguments.out:
        return
    device = arguments.device
    everything = {
        **result,
        "dataset_sha256": dataset_sha256(arguments.data),
        "seed": arguments.seed,
        "threads": torch.get_num_threads(),
        "machine": machine(),
        "device": str(device),
        "finished_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "tf32": device.type == "cuda" and torch.backends.cudnn.allow_tf32,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            **{name: library.__version__ for name, library in libraries.items()},
            "numpy": np.__version__,
            "pillow": PIL.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }
    temporary = f"{arguments.out}.{os.getpid()}.tmp"
    Path(temporary).write_text(json.dumps(everything, indent=2) + "\n")
    os.replace(temporary, arguments.out)
