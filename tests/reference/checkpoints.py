"""Writes the golden checkpoints of tests/models/checkpoint/checkpoint_test.ts, and what PyTorch reads from them.

    python3 tests/reference/checkpoints.py

Needs torch and safetensors. Made with torch 2.13.0 and safetensors 0.8.0. `expected.json` has, for
each file, every tensor's dtype, shape and row-major little-endian bytes in hex, as torch.load (or
safetensors) gives them.
"""

import io
import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import safetensors.torch
import torch

OUT = Path(__file__).parent.parent / "fixtures" / "checkpoints"
DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8,
]


def tensors():
    """One tensor of every dtype, and one of every way to lie in a storage."""
    torch.manual_seed(0)
    sd = OrderedDict()
    for dtype in DTYPES:
        last = 255 if dtype == torch.uint8 else -3
        values = torch.tensor([[1, 2, 100], [last, 0, 7]])
        sd[str(dtype).removeprefix("torch.")] = values.to(dtype)
    sd["bool"] = torch.tensor([True, False, True])
    sd["special"] = torch.tensor([float("inf"), -0.0, float("nan"), 1e-45])
    sd["scalar"] = torch.tensor(2**62 + 1)
    sd["empty"] = torch.empty(0, 3)
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    sd["whole"] = base
    sd["permuted"] = base.permute(2, 0, 1)
    sd["slice"] = base[:, 1:, ::2]
    sd["tied"] = base
    sd["repeated"] = torch.tensor([5, 6], dtype=torch.int16).unsqueeze(1).expand(2, 4)
    sd["strided_bool"] = torch.tensor([[True, False], [False, False]]).t()
    sd["strided_int64"] = torch.arange(6).reshape(2, 3).t()
    sd["parameter"] = torch.nn.Parameter(torch.randn(2, 2))
    sd["channels_last"] = torch.randn(1, 2, 2, 2).to(memory_format=torch.channels_last)
    sd["名前"] = torch.tensor([1.5])
    sd._metadata = OrderedDict([("", {"version": 1})])
    return sd


def swapped_zip(source):
    """The archive that a big-endian machine would have written."""
    archive = zipfile.ZipFile(source)
    widths = {}

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if "Storage" in name:
                return getattr(torch, name)
            return super().find_class(module, name)

        def persistent_load(self, pid):
            _, kind, key, _, numel = pid
            widths[key] = torch.empty(0, dtype=kind.dtype).element_size()
            return torch.zeros(numel, dtype=kind.dtype).storage()

    Reader(io.BytesIO(archive.read("archive/data.pkl"))).load()
    buffer = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(buffer)
    for name in archive.namelist():
        name = name.removeprefix("archive/")
        data = archive.read("archive/" + name)
        if name.startswith("data/"):
            width = widths[name.removeprefix("data/")]
            data = b"".join(data[i : i + width][::-1] for i in range(0, len(data), width))
        if name == "byteorder":
            data = b"big"
        if name not in ("version", ".data/serialization_id"):
            writer.write_record(name, data, len(data))
    writer.write_end_of_file()
    return buffer.getvalue()


def early_stream():
    """A stream as PyTorch 0.1 under Python 2 wrote it, opcode by opcode.

    Byte strings for text, an OrderedDict from a list of pairs, a tensor and a parameter made first
    and filled by their state, and a storage that is a part of another.
    """
    text = lambda s: b"U" + bytes([len(s)]) + s.encode()
    storage = lambda key, n, view: (
        b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu")
        + b"K" + bytes([n]) + view + b"tQ"
    )
    view = b"(" + text("part") + b"K\x01K\x04t"  # four elements from element 1
    tensor = b"ctorch\nFloatTensor\n)\x81(" + storage("root", 6, b"N") + b"K\x00K\x02K\x03\x86K\x03K\x01\x86tb"
    part = b"ctorch\nFloatTensor\n)\x81(" + storage("root", 6, view) + b"K\x01K\x03\x85K\x01\x85tb"
    parameter = b"ctorch.nn.parameter\nParameter\n" + tensor + b"\x85R(\x88\x89Ntb"
    rebuilt = b"ctorch._utils\n_rebuild_tensor\n(" + storage("root", 6, b"N") + b"K\x02K\x02K\x02\x86K\x02K\x01\x86tR"
    pairs = [("tensor", tensor), ("part", part), ("parameter", parameter), ("rebuilt", rebuilt)]
    body = b"".join(b"](" + text(name) + value + b"e" for name, value in pairs)
    obj = b"\x80\x02ccollections\nOrderedDict\n](" + body + b"e\x85R."
    head = b"".join(pickle.dumps(v, 2) for v in (
        0x1950A86A20F9469CFC6C, 1001,
        {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}},
    ))
    keys = b"\x80\x02](" + text("root") + b"e."
    return head + obj + keys + struct.pack("<q6f", 6, *range(10, 16))


def describe(sd):
    rows = {}
    for name, tensor in sd.items():
        tensor = tensor.detach().contiguous()
        data = tensor.reshape(-1).view(torch.uint8) if tensor.numel() else torch.empty(0)
        rows[name] = {
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "hex": bytes(data.tolist()).hex(),
        }
    return rows


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    sd = tensors()
    zipped = io.BytesIO()
    torch.save(sd, zipped)
    small = {"weight": torch.eye(2), "bias": torch.tensor([1.0, 2.0])}
    files = {
        "zip.pth": zipped.getvalue(),
        "zip_big_endian.pth": swapped_zip(io.BytesIO(zipped.getvalue())),
        "stream_early.pth": early_stream(),
    }
    saved = {
        "zip_protocol5.pth": (sd, {"pickle_protocol": 5}),
        "stream.pth": (sd, {"_use_new_zipfile_serialization": False}),
        "stream_protocol4.pth": (small, {"_use_new_zipfile_serialization": False, "pickle_protocol": 4}),
        "nested_state_dict.pth": ({"epoch": 3, "best": 0.5, "done": None, "state_dict": small}, {}),
        "nested_model.pth": ({"model": small, "lr": [0.1], "steps": 2**70}, {}),
    }
    for name, (obj, options) in saved.items():
        buffer = io.BytesIO()
        torch.save(obj, buffer, **options)
        files[name] = buffer.getvalue()
    files["tensors.safetensors"] = safetensors.torch.save(
        {name: tensor.detach().contiguous().clone() for name, tensor in sd.items()},
        {"format": "pt"},
    )

    expected = {}
    for name, data in files.items():
        (OUT / name).write_bytes(data)
        if name.endswith(".safetensors"):
            loaded = safetensors.torch.load_file(OUT / name)
        else:
            # weights_only refuses protocols 4 and 5; the files are our own.
            loaded = torch.load(OUT / name, weights_only=False)
        for inner in ("state_dict", "model"):
            loaded = loaded.get(inner, loaded)
        expected[name] = describe(loaded)
    (OUT / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")


main()
