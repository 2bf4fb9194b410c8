"""What many runs would take on clusters of several sizes, by a simulation, for docs/cluster.md.

    python3 workflow/scripts/simulate.py [--seeds 1000] [--jobs-per-minute 60] [--file-system-gb-s 1]

Run times, memory and bytes are the suite's own forecasts, from the rates in workflow/rates.json. A node
makes one run at a time. The engine starts so many jobs a minute, each of which has a start-up cost, and
the bytes of all jobs that go on share the file system evenly. The features of part 4 come first.
"""

import argparse
import heapq
import json
import subprocess
from pathlib import Path

SUITE = Path(__file__).resolve().parents[2]
MODELS = ("simplecnn", "fasterrcnn", "vgg16", "alexnet")
THREADS = 2


def forecasts(sizes):
    command = ["deno", "run", "-q", "--config", str(SUITE / "deno.json"), "--allow-read"]
    command += [str(SUITE / "experiment/sweep_forecast.ts"), str(SUITE / "workflow/rates.json")]
    result = subprocess.run(command, input=json.dumps(sizes), capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def simulate(runs, nodes, start_seconds, jobs_per_minute, bytes_per_second):
    """Seconds until the last of the runs has ended, each with its seconds of work and its bytes.

    A job's bytes take as long as they would if as many jobs as there are nodes shared the file system
    with it all the time, which is so until the last ones.
    """
    free = [0.0] * min(nodes, len(runs))
    heapq.heapify(free)
    share = bytes_per_second / len(free)
    end = 0.0
    for i, (seconds, moved) in enumerate(runs):
        submitted = i * 60 / jobs_per_minute
        start = max(heapq.heappop(free), submitted)
        end_of_job = start + start_seconds + seconds + moved / share
        heapq.heappush(free, end_of_job)
        end = max(end, end_of_job)
    return end


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--start-seconds", type=float, default=8)
    parser.add_argument("--jobs-per-minute", type=float, default=60)
    parser.add_argument("--file-system-gb-s", type=float, default=1)
    asked = parser.parse_args()
    one = dict(zip(MODELS, forecasts([{"model": model, "threads": THREADS} for model in MODELS])))
    print("| model | one run | memory | core hours | stays | written | read |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for model, run in one.items():
        many = asked.seeds
        print(
            f"| {model} | {run['seconds'] / 60:.0f} min | {run['memoryBytes'] / 1e9:.1f} GB "
            f"| {many * run['seconds'] * THREADS / 3600:,.0f} | {many * run['keptBytes'] / 1e9:.1f} GB "
            f"| {many * run['writtenBytes'] / 1e12:.2f} TB | {many * run['readBytes'] / 1e12:.2f} TB |"
        )
    prepared = forecasts(
        [
            {"model": model, "threads": THREADS, "features": True, "epochs": 1}
            for model in ("vgg16", "alexnet")
        ]
    )
    preparation = max(run["seconds"] for run in prepared)

    def together(*names):
        return asked.seeds * sum(run[name] for run in one.values() for name in names)

    print(
        f"\nTogether {together('seconds') * THREADS / 3600:,.0f} core hours; "
        f"{together('keptBytes') / 1e9:.2f} GB of results, "
        f"{sum(run['featureBytes'] for run in prepared) / 1e9:.0f} GB of features in the cache, and "
        f"{together('writtenBytes', 'readBytes') / 1e12:.0f} TB through the shared file system"
    )
    # The longest first, as the engine would not: the last ones then keep no node waiting.
    runs = [
        (run["seconds"], run["writtenBytes"] + run["readBytes"])
        for run in sorted(one.values(), key=lambda run: -run["seconds"])
        for _ in range(asked.seeds)
    ]
    print("\n| nodes | wall time | without the file system | work alone | file system at most |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for nodes in (10, 100, 1000):
        limits = (asked.start_seconds, asked.jobs_per_minute)
        wall = preparation + simulate(runs, nodes, *limits, asked.file_system_gb_s * 1e9)
        free = preparation + simulate(runs, nodes, *limits, float("inf"))
        work = sum(seconds for seconds, _ in runs) / nodes
        moved = sum(moved for _, moved in runs)
        print(
            f"| {nodes:,} | {wall / 3600:.1f} h | {free / 3600:.1f} h | {work / 3600:.1f} h "
            f"| {moved / (free - preparation) / 1e9:.2f} GB/s |"
        )


if __name__ == "__main__":
    main()
