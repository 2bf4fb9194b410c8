"""Part 1 of the study in PyTorch: the peer that the suite's numbers are set beside.

Trains SimpleCNN from scratch the way the study does (a torchvision-style data set that decodes one
PIL image at a time, a DataLoader with two workers, Adam with L2), evaluates it on the test images
and writes the result as JSON:

    deno run -A bench/export_idx.ts --data mnist --out DIR
    python3 bench/reference/study_part1.py --data DIR --out peer.json

Needs torch, numpy, Pillow and scikit-learn.
"""

import torch
from simple_cnn import SimpleCNN
from study_run import (
    IdxDigits,
    argument_parser,
    begin,
    evaluate,
    finish_training,
    positive,
    train,
    write_result,
)
from torch.utils.data import DataLoader

BATCH_SIZE = 128
LEARNING_RATE = 0.001
WEIGHT_DECAY = 1e-4
WORKERS = 2


def parse_arguments():
    parser = argument_parser("Part 1 of the study in PyTorch.")
    parser.add_argument("--epochs", type=positive, default=10)
    parser.add_argument("--limit", type=positive, help="train on the first N images only")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    begin(arguments)
    train_set = IdxDigits(arguments.data, "train", arguments.limit)
    test_set = IdxDigits(arguments.data, "t10k", arguments.test_limit)
    train_loader = DataLoader(train_set, BATCH_SIZE, shuffle=True, num_workers=WORKERS)
    test_loader = DataLoader(test_set, BATCH_SIZE, num_workers=WORKERS)
    model = SimpleCNN().to(arguments.device)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )

    history = train(model, train_loader, optimizer, arguments.epochs)
    evaluation = evaluate(model, test_loader)
    found = finish_training(arguments, optimizer, train_loader, history, evaluation)
    write_result(arguments, {"model": "SimpleCNN", **found, "workers": WORKERS})


if __name__ == "__main__":
    main()
