"""The peer of `deno task bench`: the same work in PyTorch, timed on request.

Stays alive beside the suite's own process and works only while it is asked to. It reads one JSON
request a line from standard input and answers each with one line on standard output; its first
line says what it is:

    {"ready": true, "versions": {"torch": "2.13.0", ...}, "threads": 2, "torch_device": "cpu", ...}
    > {"do": "run", "case": "step", "variant": "default", "precision": "float32", "seconds": 2}
    < {"units": 21, "seconds": 2.07}
    < {"error": "why this cannot be measured"}

A request works for at least `seconds`, at least one unit, and answers with how many units it was
and how long they took until the device had done them. Building the model, compiling it and a second of warm-up are not in that
time. Needs torch; torchvision as well for what `transfer.py` does.
"""

import argparse
import contextlib
import json
import os
import platform
import sys
import time
from importlib import metadata

try:
    import torch
except ImportError as error:
    reason = "PyTorch is not installed for this Python: pip install torch"
    if error.name != "torch":
        reason = f"PyTorch does not start: {error}"
    print(json.dumps({"error": reason}))
    sys.exit(0)

import transfer
from simple_cnn import SimpleCNN
from torch.nn.functional import conv2d, cross_entropy

BATCH_SIZE = 128
LEARNING_RATE = 0.001
WEIGHT_DECAY = 1e-4
TEST_IMAGES = 10_000
LARGE_BATCH = 1000
DETECTOR_CALL = 2
WARM_UP_SECONDS = 1
# Whether PyTorch's defaults let GPUs round what convolutions multiply to TF32.
CONVOLUTIONS_IN_TF32 = torch.backends.cudnn.allow_tf32

# What differs from PyTorch's defaults.
VARIANTS = {
    "default": {},
    "no_tf32": {"tf32": False},
    "channels_last": {"channels_last": True, "fused": True},
    "fused": {"fused": True},
    "compile": {"fused": True, "compile": True},
    "compile_channels_last": {"channels_last": True, "fused": True, "compile": True},
    "large_batch": {"batch": LARGE_BATCH},
    "small_calls": {"batch": DETECTOR_CALL},
    "single_calls": {"batch": 1},
}


class Bench:
    """Makes what is to be timed, once each, as functions that do one unit of work."""

    def __init__(self, device):
        self.device = device
        self.units = {}

    def run(self, case, variant, precision, seconds):
        key = (case, variant, precision)
        torch.backends.cudnn.allow_tf32 = VARIANTS[variant].get("tf32", CONVOLUTIONS_IN_TF32)
        if key not in self.units:
            unit = self.make(case, VARIANTS[variant], getattr(torch, precision))
            self.time_units(unit, 0)  # torch.compile does its work here.
            self.time_units(unit, WARM_UP_SECONDS)
            self.units[key] = unit
        return self.time_units(self.units[key], seconds)

    def time_units(self, unit, seconds):
        self.synchronize()
        started = time.perf_counter()
        units = 0
        while units == 0 or time.perf_counter() - started < seconds:
            unit()
            units += 1
        self.synchronize()
        return {"units": units, "seconds": time.perf_counter() - started}

    def synchronize(self):
        """Waits until the device has done what it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def make(self, case, options, precision):
        if case in transfer.CASES:
            # They are big: what was made for the last one goes before the next is made.
            for key in [key for key in self.units if key[0] in transfer.CASES]:
                del self.units[key]
            return transfer.make_unit(self, case, options, precision)
        make = {
            "step": self.step,
            "inference": self.inference,
            "matmul": self.matmul,
            "conv": self.conv,
            "adam": self.adam,
        }
        return make[case](options, precision)

    def model(self, options):
        layout = torch.channels_last if options.get("channels_last") else torch.contiguous_format
        model = SimpleCNN().to(self.device, memory_format=layout)
        return model, torch.compile(model) if options.get("compile") else model, layout

    def images(self, count, layout):
        return torch.randn(count, 1, 28, 28, device=self.device).to(memory_format=layout)

    def autocast(self, precision):
        """Convolutions and products in `precision`; parameters and losses stay float32."""
        lower = precision != torch.float32
        return torch.autocast(
            self.device.type, dtype=precision if lower else None, enabled=lower
        )

    def step(self, options, precision):
        """Forward, loss, backward and Adam with L2 on a batch that is in memory; reads the loss."""
        model, call, layout = self.model(options)
        model.train()
        optimizer = torch.optim.Adam(
            model.parameters(),
            lr=LEARNING_RATE,
            weight_decay=WEIGHT_DECAY,
            fused=options.get("fused"),
        )
        images = self.images(BATCH_SIZE, layout)
        labels = torch.randint(0, 10, (BATCH_SIZE,), device=self.device)

        def unit():
            optimizer.zero_grad()
            with self.autocast(precision):
                loss = cross_entropy(call(images), labels)
            loss.backward()
            optimizer.step()
            return loss.item()

        return unit

    def inference(self, options, precision):
        """The classes of 10,000 images that are in memory, in batches of 128 unless told otherwise."""
        model, call, layout = self.model(options)
        model.eval()
        size = options.get("batch", BATCH_SIZE)
        starts = range(0, TEST_IMAGES, size)
        batches = [self.images(min(size, TEST_IMAGES - start), layout) for start in starts]

        def unit():
            with torch.no_grad(), self.autocast(precision):
                return [call(images).argmax(1).cpu() for images in batches]

        return unit

    def matmul(self, _, precision):
        """Four products of 2048x2048 matrices, one after the other."""
        a, b = (torch.randn(2048, 2048, device=self.device, dtype=precision) for _ in range(2))

        def unit():
            c = a
            with torch.no_grad():
                for _ in range(4):
                    c = c @ b
            return c[0, 0].item()

        return unit

    def conv(self, _, precision):
        """The network's second convolution, forward."""
        x = torch.randn(BATCH_SIZE, 32, 14, 14, device=self.device, dtype=precision)
        weight = torch.randn(64, 32, 5, 5, device=self.device, dtype=precision)

        def unit():
            with torch.no_grad():
                return conv2d(x, weight, padding=2)[0, 0, 0, 0].item()

        return unit

    def adam(self, options, _):
        """An update of 2^25 parameters."""
        parameter = torch.nn.Parameter(torch.zeros(1 << 25, device=self.device))
        parameter.grad = torch.randn_like(parameter)
        optimizer = torch.optim.Adam([parameter], lr=LEARNING_RATE, fused=options.get("fused"))

        def unit():
            optimizer.step()
            return parameter[0].item()

        return unit


def choose_device(wanted, adapter):
    """The device that is wanted, or the CPU: torch's, what it is called, and why if it is another.

    Of several GPUs it is the one that the suite's side calls `adapter`, else the first.
    """
    cpu = torch.device("cpu")
    if wanted == "cuda" and torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        index = names.index(adapter) if adapter in names else 0
        return torch.device("cuda", index), names[index], None
    if wanted == "mps" and torch.backends.mps.is_available():
        return torch.device("mps"), "Apple's GPU", None
    if wanted == "cpu":
        return cpu, "CPU", None
    return cpu, "CPU", "PyTorch sees no GPU and works on the CPU: install a build for this GPU"


def versions():
    """Of what takes part; torchvision is left out where it is not installed."""
    found = {"python": platform.python_version(), "torch": torch.__version__}
    with contextlib.suppress(metadata.PackageNotFoundError):
        found["torchvision"] = metadata.version("torchvision")
    return found


def main():
    parser = argparse.ArgumentParser(description="PyTorch's side of `deno task bench`.")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", choices=["cpu", "cuda", "mps"], default="cpu")
    parser.add_argument("--adapter", default="", help="the GPU's name, to tell several apart")
    arguments = parser.parse_args()

    # Answers keep standard output to themselves: whatever else is printed goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    device, name, note = choose_device(arguments.device, arguments.adapter)
    bench = Bench(device)
    answer({
        "ready": True,
        "versions": versions(),
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch_device": str(device),
        "tf32": device.type == "cuda" and torch.version.cuda is not None and CONVOLUTIONS_IN_TF32,
        "on": {"backend": "torch", "device": name, **({"note": note} if note else {})},
    })
    for line in sys.stdin:
        request = json.loads(line)
        try:
            names = ("case", "variant", "precision", "seconds")
            answer(bench.run(*(request[name] for name in names)))
        except Exception as error:  # torch.compile fails in many ways; the next request may not.
            text = str(error).strip().split("\n")[0]
            answer({"error": f"{type(error).__name__}: {text}"})


if __name__ == "__main__":
    main()
