/** What stays in `bench.json` when other cases are measured. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  casesOf,
  isComparable,
  pairsOf,
  recordFinding,
  type UnfinishedCases,
  withEarlier,
} from "../../bench/earlier_runs.ts";
import { renderPage } from "../../bench/page.ts";
import type { BenchResults, CaseName, PairedTiming } from "../../report/record/bench_results.ts";

const MACHINE = { os: "linux", arch: "x86_64", processor: "abacus", cores: 2, memory_bytes: 1 };

/** A run of the bench that asked for some cases and has found nothing yet. */
function run(day: number, cases: readonly CaseName[]): BenchResults {
  const started_at = `2026-01-0${day}T00:00:00.000Z`;
  return {
    ...{ started_at, finished_at: started_at, machine: MACHINE, threads: 2, load_average: 0 },
    settings: { cases, full: false, pairs: day, seconds: 2, epochs: 10, data: "mnist" },
    versions: { torch: `2.${day}` },
    git: { commit: `${day}`.repeat(40), clean: true },
    comparisons: [],
    measures: [],
  };
}

function timing(name: CaseName, note: string): PairedTiming {
  const side = { precision: "float32" as const, timings: [{ units: 1, seconds: 1 }] };
  const sides = { ours: { label: "ours", ...side }, theirs: { label: "PyTorch", ...side } };
  return { case: name, title: name, unit: "step", note, ...sides };
}

Deno.test("a run keeps what earlier ones found of cases that it does not measure", () => {
  const first = run(1, ["step", "inference"]);
  first.comparisons.push(timing("step", "first"), timing("inference", "first"));
  first.measures.push({ case: "memory", title: "Peak", unit: "GB", value: 1 });
  const second = withEarlier(run(2, ["inference"]), first);
  recordFinding(second, timing("inference", "second"));
  const third = withEarlier(run(3, ["part1"]), second);
  recordFinding(third, timing("part1", "third"));

  assertEquals(third.comparisons.map(({ case: name, note }) => [name, note]), [
    ["step", "first"],
    ["inference", "second"],
    ["part1", "third"],
  ]);
  assertEquals(third.earlier?.map(({ started_at }) => started_at.slice(0, 10)), [
    "2026-01-01",
    "2026-01-02",
  ]);
  assertEquals(casesOf(third, first.started_at), ["step", "memory"]);
  assertEquals(casesOf(third, second.started_at), ["inference"]);
  assertEquals(casesOf(third, third.started_at), ["part1"]);

  const page = renderPage(third);
  assertMatch(
    page,
    /^\| 2026-01-01T00:00 \| step, memory \| 111111111111 \| 1 of 2 s \| 0.00 \| torch 2.1 \|$/m,
  );
  assertMatch(
    page,
    /^\| 2026-01-03T00:00 \| part1 \| 333333333333 \| 3 of programs \| 0.00 \| torch 2.3 \|$/m,
  );
});

Deno.test("a page says how often each run timed a side, which is once of part 4 and never of what has no sides", () => {
  const found = (...cases: CaseName[]) => {
    const comparisons = cases.filter((name) => name !== "growth").map((name) => timing(name, ""));
    const growth = { case: "growth", title: "Growth", unit: "%", value: 1 } as const;
    return { ...run(3, cases), comparisons, measures: cases.includes("growth") ? [growth] : [] };
  };
  const pairs = (...cases: CaseName[]) => pairsOf(found(...cases), found(...cases));
  assertEquals(pairs("step", "growth"), "3 of 2 s");
  assertEquals(pairs("part4-vgg16", "part4-alexnet"), "1 of part 4");
  assertEquals(pairs("growth"), "");
  assertEquals(pairs("step", "launch", "part4-vgg16"), "3 of 2 s; 3 of programs; 1 of part 4");
});

Deno.test("a run of ours alone keeps what the peer of earlier ones computed with", () => {
  const [cpu, gpu] = ["CPU", "GPU"].map((device) => ({ backend: "torch", device }));
  const first = { ...run(1, ["step"]), peer: cpu! };
  assertEquals(withEarlier(run(2, ["mapping"]), first).peer, cpu);
  assertEquals(withEarlier({ ...run(2, ["step"]), peer: gpu! }, first).peer, gpu);
  assertEquals("peer" in withEarlier(run(2, ["mapping"]), run(1, ["step"])), false);
});

Deno.test("an earlier run of which nothing is left is forgotten", () => {
  const first = run(1, ["step"]);
  first.comparisons.push(timing("step", "first"));
  const second = withEarlier(run(2, ["step"]), first);
  const found = timing("step", "second");
  recordFinding(second, found);
  assertEquals([second.comparisons, second.earlier], [[found], []]);
});

Deno.test("a run that is interrupted leaves what was found before of cases that it did not reach", () => {
  const first = run(1, ["step", "memory", "growth"]);
  first.comparisons.push(timing("step", "first"), { ...timing("step", "first"), title: "other" });
  const peak = { case: "memory", title: "Peak", unit: "GB", value: 1 } as const;
  const growth = { case: "growth", title: "Growth", unit: "MB", value: 2 } as const;
  first.measures.push(peak, { ...peak, title: "Ours" }, growth);
  const second = withEarlier(run(2, first.settings.cases), first);
  const found = ({ comparisons, measures }: BenchResults) =>
    [...comparisons, ...measures].map(({ case: name, title, of }) => [name, title, of]);
  const of = first.started_at;
  const rest = [["memory", "Peak", of], ["memory", "Ours", of], ["growth", "Growth", of]];
  recordFinding(second, timing("step", "second"));
  assertEquals(found(second), [["step", "step", undefined], ...rest]);
  recordFinding(second, { ...peak, value: 3 });
  recordFinding(second, { ...peak, title: "Ours", value: 3 });
  assertEquals(found(second), [
    ["step", "step", undefined],
    ["memory", "Peak", undefined],
    ["memory", "Ours", undefined],
    rest[2],
  ]);
  assertEquals(second.earlier?.map(({ started_at }) => started_at), [of]);
});

Deno.test("runs on another processor or other data do not stand in one table", () => {
  const one = run(1, ["step"]);
  const other = (changes: Partial<BenchResults>) =>
    isComparable({ ...run(2, ["step"]), ...changes }, one);
  assertEquals(other({}), true);
  assertEquals(other({ machine: { ...MACHINE, memory_bytes: 2 } }), true);
  assertEquals(other({ machine: { ...MACHINE, processor: "slide rule" } }), false);
  const model = (processor_model: string) => ({ machine: { ...MACHINE, processor_model } });
  assertEquals(other(model("family 1")), false, "an older page does not say which");
  assertEquals(isComparable({ ...one, ...model("family 1") }, { ...one, ...model("2") }), false);
  assertEquals(isComparable({ ...one, ...model("2") }, { ...one, ...model("2") }), true);
  assertEquals(other({ threads: 4 }), false);
  assertEquals(other({ settings: { ...one.settings, data: "fashion" } }), false);
  assertEquals(other({ ours: { backend: "tensorflow", device: "CPU" } }), true);
  assertEquals(other({ ours: { backend: "webgpu", device: "H100" } }), false);
});

Deno.test("data are told apart by what was loaded, not by the word of the flag", () => {
  const [a, b] = ["a".repeat(64), "b".repeat(64)] as const;
  const of = (data: string, name?: string, sha256?: string): BenchResults => {
    const one = run(1, ["step"]);
    const dataset = name === undefined ? {} : { dataset: { name, ...(sha256 && { sha256 }) } };
    return { ...one, settings: { ...one.settings, data }, ...dataset };
  };
  assertEquals(isComparable(of("mnist"), of("auto")), true, "older results say the flag alone");
  assertEquals(isComparable(of("auto", "mnist", a), of("mnist")), true);
  assertEquals(isComparable(of("/mnist", "mnist", a), of("auto", "mnist", a)), true);
  assertEquals(isComparable(of("fashion", "fashion-mnist", b), of("auto", "mnist", a)), false);
  assertEquals(isComparable(of("fashion", "fashion-mnist", b), of("auto")), false);
  assertEquals(isComparable(of("/own", "dir:own", a), of("/own", "dir:own", b)), false);
  assertEquals(isComparable(of("/moved", "dir:moved", a), of("/own", "dir:own", a)), true);
  assertEquals(isComparable(of("/own", "dir:own", a), of("/own")), false, "nobody knows of what");
  const dataOnPage = (results: BenchResults) => /, data (.*)$/m.exec(renderPage(results))?.[1];
  assertEquals([of("auto"), of("mnist", "mnist", a), of("fashion")].map(dataOnPage), [
    ...["MNIST", "MNIST", "Fashion-MNIST"],
  ]);
  assertEquals(dataOnPage(of("/own", "dir:own", b)), "dir:own (SHA-256 bbbbbbbbbbbb)");
  assertEquals(dataOnPage(of("/own")), "/own");
});

Deno.test("runs on another backend of the same processor do not stand in one table", () => {
  const on = (backend: string) => ({ ...run(1, ["step"]), ours: { backend, device: "CPU" } });
  assertEquals(isComparable(on("wasm"), on("tensorflow")), false);
  assertEquals(isComparable(on("wasm"), run(1, ["step"])), false, "an older page is TensorFlow's");
  assertEquals(isComparable(on("wasm"), on("wasm")), true);
});

/** A timing beside a peer, of which there may be nothing, or nothing of either. */
function beside(
  label: string,
  note: string,
  sides: "both" | "ours" | "none" = "both",
): PairedTiming {
  const one = timing("step", note);
  const [ours, theirs] = [one.ours, { ...one.theirs, label }];
  return {
    ...one,
    ours: sides === "none" ? { ...ours, timings: [] } : ours,
    theirs: sides === "both" ? theirs : { ...theirs, timings: [] },
  };
}

/** What there is of a case that a first run has found something of, and a second one as well. */
function measuredAgain(
  first: readonly PairedTiming[],
  second: readonly PairedTiming[],
  { isFinished = true } = {},
): (string | undefined)[][] {
  const before = { ...run(1, ["step"]), comparisons: [...first] };
  const results = withEarlier(run(2, ["step"]), before);
  const unfinished: UnfinishedCases = new Map();
  for (const [index, one] of second.entries()) {
    const isLast = isFinished && index === second.length - 1;
    recordFinding(results, one, { isLast, unfinished });
  }
  return results.comparisons.map(({ theirs, note }) => [theirs.label, note]);
}

const FIRST = ["PyTorch", "compiled"].map((label) => beside(label, "first"));
const AS_FIRST = [["PyTorch", "first"], ["compiled", "first"]];

Deno.test("what was found before of a case stays until the case is finished", () => {
  const half = beside("PyTorch", "not reached", "ours");
  const again = [half, ...["PyTorch", "compiled"].map((label) => beside(label, "second"))];
  for (const count of [1, 2, 3]) {
    const found = measuredAgain(FIRST, again.slice(0, count), { isFinished: false });
    assertEquals(found, AS_FIRST, `${count} findings`);
  }
  assertEquals(measuredAgain(FIRST, again), [["PyTorch", "second"], ["compiled", "second"]]);
});

Deno.test("what is found of a case for the first time is there before the case is finished", () => {
  const half = beside("PyTorch", "not reached", "ours");
  assertEquals(measuredAgain([], [half], { isFinished: false }), [["PyTorch", "not reached"]]);
  const second = [half, beside("PyTorch", "second")];
  assertEquals(measuredAgain([], second, { isFinished: false }), [["PyTorch", "second"]]);
});

Deno.test("a run without PyTorch leaves the pairs that were found with it", () => {
  // Nor does a side that failed after some pairs take away all of them.
  const cut: PairedTiming = { ...beside("PyTorch", "1 of 7 pairs"), isCut: true };
  assertEquals(measuredAgain(FIRST, [cut, beside("compiled", "second")]), [
    ["PyTorch", "first"],
    ["compiled", "second"],
  ]);
  assertEquals(measuredAgain([cut], [{ ...cut, note: "2 of 7 pairs" }]), [[
    "PyTorch",
    "2 of 7 pairs",
  ]]);
  const alone = beside("PyTorch", "pip install torch", "ours");
  assertEquals(measuredAgain(FIRST, [alone]), AS_FIRST);
  assertEquals(measuredAgain([beside("PyTorch", "first", "ours")], [alone]), [
    ["PyTorch", "pip install torch"],
  ]);
});

Deno.test("what fails leaves what was found of the same sides before", () => {
  const failed = beside("compiled", "no compiler", "none");
  assertEquals(measuredAgain(FIRST, [beside("PyTorch", "second"), failed]), [
    ["PyTorch", "second"],
    ["compiled", "first"],
  ]);
  assertEquals(measuredAgain([failed], [beside("PyTorch", "second"), failed]), [
    ["PyTorch", "second"],
    ["compiled", "no compiler"],
  ]);
  // Nobody is timed beside the second any more.
  assertEquals(measuredAgain(FIRST, [beside("PyTorch", "second")]), [["PyTorch", "second"]]);
});

/** A timing of so many pairs. */
function pairs(label: string, count: number): PairedTiming {
  const one = beside(label, `${count}`);
  const timings = Array.from({ length: count }, () => ({ units: 1, seconds: 1 }));
  return { ...one, ours: { ...one.ours, timings }, theirs: { ...one.theirs, timings } };
}

Deno.test("fewer pairs leave those that were found before, as many or more replace them", () => {
  const [five, three] = [5, 3].map((count) => [pairs("PyTorch", count), pairs("compiled", count)]);
  const notes = (found: (string | undefined)[][]) => found.map(([, note]) => note);
  assertEquals(notes(measuredAgain(five!, three!)), ["5", "5"]);
  assertEquals(notes(measuredAgain(five!, [three![0]!])), ["5", "5"], "of all peers");
  assertEquals(notes(measuredAgain(three!, five!)), ["5", "5"]);
  assertEquals(measuredAgain(five!, [{ ...pairs("PyTorch", 5), note: "second" }]), [
    ["PyTorch", "second"],
  ]);
  // One side's lack is not made up for by more pairs of ours.
  const alone = { ...pairs("PyTorch", 5), note: "alone" };
  alone.theirs = { ...alone.theirs, timings: [] };
  assertEquals(notes(measuredAgain(three!, [alone])), ["3", "3"]);
  // Nor are some pairs fewer for that there were to be more.
  const cut = { ...pairs("PyTorch", 4), note: "4 of 7 pairs", isCut: true } as const;
  assertEquals(notes(measuredAgain(three!.slice(0, 1), [cut])), ["4 of 7 pairs"]);
});

Deno.test("fewer seconds leave what was found of more", () => {
  const step = (seconds: number, day: number) => {
    const one = run(day, ["step"]);
    return { ...one, settings: { ...one.settings, seconds } };
  };
  const titled = (seconds: number, count: number) => ({
    ...pairs("PyTorch", count),
    case: "step" as const,
    title: `${count} of ${seconds} s`,
  });
  const left = (first: [seconds: number, count: number], second: [number, number]) => {
    const before = { ...step(first[0], 1), comparisons: [titled(...first)] };
    const results = withEarlier(step(second[0], 2), before);
    recordFinding(results, titled(...second));
    return results.comparisons.map(({ title }) => title);
  };
  assertEquals(left([2, 7], [0.05, 7]), ["7 of 2 s"]);
  assertEquals(left([0.05, 7], [2, 7]), ["7 of 2 s"]);
  assertEquals(left([2, 7], [10, 2]), ["7 of 2 s"]);
  assertEquals(left([2, 7], [1, 14]), ["7 of 2 s"]);
});

Deno.test("fewer epochs or steps leave what was found of more", () => {
  const part1 = (epochs: number, day: number) => {
    const one = run(day, ["part1"]);
    return { ...one, settings: { ...one.settings, epochs } };
  };
  const titled = (epochs: number) => ({ ...timing("part1", ""), title: `--epochs ${epochs}` });
  const left = (first: number, second: number) => {
    const before = { ...part1(first, 1), comparisons: [titled(first)] };
    const results = withEarlier(part1(second, 2), before);
    recordFinding(results, titled(second));
    return results.comparisons.map(({ title }) => title);
  };
  assertEquals(left(10, 1), ["--epochs 10"]);
  assertEquals(left(1, 10), ["--epochs 10"]);
  assertEquals(left(20, 10), ["--epochs 10"], "the study's is the whole of it");

  const grown = (last: number, value: number | null) => {
    const samples = [{ step: last, handles: 1, rss: 1 }];
    return { case: "growth", title: `to ${last}`, unit: "%", value, samples } as const;
  };
  const steps = (first: number, second: number, value: number | null = 1) => {
    const results = withEarlier(run(2, ["growth"]), {
      ...run(1, ["growth"]),
      measures: [grown(first, value)],
    });
    recordFinding(results, grown(second, 2));
    return results.measures.map(({ title }) => title);
  };
  assertEquals(steps(10_000, 1_000), ["to 10000"]);
  assertEquals(steps(1_000, 10_000), ["to 10000"]);
  assertEquals(steps(10_000, 1_000, null), ["to 1000"], "of which there is no value");
});

Deno.test("a measurement that fails leaves the value that was found before", () => {
  const before = run(1, ["profile"]);
  const step = { case: "profile", title: "Step", unit: "ms", value: 20 } as const;
  before.measures.push(step, { ...step, title: "Step in bf16", value: 10 });
  const results = withEarlier(run(2, ["profile"]), before);
  const unfinished: UnfinishedCases = new Map();
  recordFinding(results, { ...step, value: 21 }, { isLast: false, unfinished });
  const failed = { ...step, title: "Step in bf16", value: null, note: "no bfloat16" };
  assertEquals(recordFinding(results, failed, { isLast: true, unfinished }), [failed]);
  assertEquals(results.measures.map(({ title, value }) => [title, value]), [
    ["Step", 21],
    ["Step in bf16", 10],
  ]);
  const again = withEarlier(run(3, ["profile"]), results);
  const nothing = { case: "profile", title: "profile", unit: "", value: null } as const;
  assertEquals(recordFinding(again, nothing), [nothing], "it is said what is not to be seen");
  assertEquals(again.measures.map(({ value }) => value), [21, 10]);
});
