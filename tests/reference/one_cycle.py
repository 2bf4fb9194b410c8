"""Learning rates of torch.optim.lr_scheduler.OneCycleLR for tests/training/one_cycle_test.ts.

    python3 tests/reference/one_cycle.py > tests/fixtures/one_cycle.json
"""

import json

import torch

cases = []
for max_lr, total, pct, strategy in [
    (0.003, 10, 0.3, "cos"),
    (0.003, 375, 0.3, "cos"),
    (0.1, 7, 0.5, "cos"),
    (0.01, 2, 0.3, "cos"),
    (0.004, 375, 0.2, "linear"),
]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=max_lr,
        total_steps=total,
        pct_start=pct,
        anneal_strategy=strategy,
        div_factor=25 if strategy == "cos" else 10,
        cycle_momentum=False,
    )
    rates = []
    for step in range(total):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        if step < total - 1:
            scheduler.step()
    case = {"maxLr": max_lr, "totalSteps": total, "pctStart": pct}
    if strategy != "cos":
        case |= {"divFactor": 10, "annealStrategy": strategy}
    cases.append({**case, "rates": rates})
print(json.dumps({"torch": torch.__version__, "cases": cases}))
