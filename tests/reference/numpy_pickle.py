"""Pickles of numpy arrays: fixtures of tests/models/pretrained_convolutions_test.ts.

    python3 tests/reference/numpy_pickle.py

writes tests/fixtures/checkpoints/numpy_protocol{3,4}.pickle: two small convolutions as JAX programs
save them, height, width, inputs, outputs, where each weight says where it is (1000 out + 100 in +
10 row + column) and each bias which it is (its output, halved).

Needs numpy. Made with numpy 2.4.6.
"""

import pickle
from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).parent.parent / "fixtures" / "checkpoints"


def convolution(size, inputs, outputs):
    row, column, i, o = np.indices((size, size, inputs, outputs))
    kernel = 1000 * o + 100 * i + 10 * row + column
    return {"kernel": kernel.astype(np.float32), "bias": np.arange(outputs, dtype=np.float32) / 2}


parameters = {
    "Net_0": {"Conv_0": convolution(3, 2, 4), "Conv_1": convolution(2, 4, 3)},
    "Other_0": {"Conv_0": {"kernel": np.ones((1, 1, 4, 1), np.float32)}},
}
for protocol in (3, 4):
    path = FIXTURES / f"numpy_protocol{protocol}.pickle"
    path.write_bytes(pickle.dumps(parameters, protocol=protocol))
