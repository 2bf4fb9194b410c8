/**
 * What `--dry-run` says: what parts would run, with what, for how long, and what they would fetch and
 * write. Nothing is trained, fetched or written.
 *
 * @module
 */

import { cacheDir, cacheObstacle } from "../io/cache.ts";
import { type DatasetNeeds, datasetNeeds } from "../data/dataset_needs.ts";
import type { BackendName } from "../engine/engine.ts";
import { failureLine, UsageError } from "../io/errors.ts";
import { freeSpace } from "../io/free_space.ts";
import { printableJson } from "../io/printable.ts";
import { createReporter, formatBytes, print } from "../io/reporter.ts";
import { type WeightsNeeds, weightsNeeds } from "../models/checkpoint/weights_needs.ts";
import { lookAtResultsFile } from "../report/record/results.ts";
import { expectedCheckpointBytes } from "./checkpoint_forecast.ts";
import { type Fetch, lookAtEngine, setSizes } from "./engine_outlook.ts";
import { imageCounts, type MachineRates, modelSeconds, roundDuration } from "./forecast.ts";
import type { PartPlan, PlannedModel } from "./plan.ts";

/** A model's runs, as `--dry-run --json` has them. */
export interface ModelOutlook {
  model: string;
  seeds: readonly number[];
  train_images: number;
  test_images: number;
  settings: Readonly<Record<string, number | boolean>>;
  /** Which weights it starts from; empty where it has none. */
  weights: string;
  /** Seconds of its runs, features among them; null where no engine is here to measure. */
  seconds: number | null;
  /** Bytes that its runs leave in the results, about, and those of features in the cache, at most. */
  disk: { results: number; features: number };
}

/** What `--dry-run --json` prints. */
export interface Outlook {
  parts: { part: number; models: ModelOutlook[] }[];
  /** The backend that would compute. */
  backend: BackendName;
  /** Why; empty where libtensorflow would be fetched. */
  reason: string;
  /** Its library or package; empty where that would be fetched. */
  engine: string;
  device: string;
  /** Threads of one operation; null where no engine is here to ask. */
  threads: number | null;
  data: string;
  /** Seconds of everything, start-up included, downloads not; null where it is not known. */
  seconds: number | null;
  downloads: Fetch[];
  out: string;
  resume: boolean;
  /** Whether events for TensorBoard would be written. */
  tensorboard: boolean;
  /** Why nothing can be kept in the cache, and what helps; absent where all can, or nothing is to be. */
  cache_problem?: string;
}

/**
 * Says what the parts would do. Those of one call share data, engine and results folder.
 *
 * @throws {UsageError} If nothing is to be said, with `--quiet` and without `--json`.
 * @throws {StudyError} If results cannot be written, or weights not be used.
 */
export async function showDryRun(plans: readonly PartPlan[]): Promise<void> {
  const { quiet, json, verbose } = plans[0]!.flags;
  if (quiet && !json) {
    throw new UsageError("--quiet and --dry-run exclude each other; give one, or --json too");
  }
  const reporter = createReporter({ quiet, verbose, stream: json ? "stderr" : "stdout" });
  reporter.live("Looking at what is here, and how fast this machine is");
  const outlook = await lookAhead(plans).finally(() => reporter.live(""));
  if (json) return print(printableJson(outlook));
  for (const line of await pageOf(outlook)) reporter.line(line);
}

async function lookAhead(plans: readonly PartPlan[]): Promise<Outlook> {
  const { flags, precision } = plans[0]!;
  for (const { part } of plans) await lookAtResultsFile(flags.out, part);
  const data = await datasetNeeds(flags.data);
  // Before the engine is measured, which takes seconds.
  const needs = new Map<PlannedModel, WeightsNeeds>();
  for (const planned of plans.flatMap(({ models }) => models)) {
    if (planned.weights === undefined) continue;
    const { asked, source, check } = planned.weights;
    needs.set(planned, await weightsNeeds({ weights: asked, source, check, strict: flags.strict }));
  }
  const engine = await lookAtEngine(flags, precision, data);
  const downloads: Fetch[] = [...engine.downloads, ...dataDownload(data)];
  const parts: Outlook["parts"] = [];
  for (const plan of plans) {
    const models: ModelOutlook[] = [];
    for (const planned of plan.models) {
      const weights = needs.get(planned);
      if (weights?.state === "missing") {
        const { file: what, from, bytes, otherwise } = weights;
        if (!downloads.some((known) => known.what === what)) {
          downloads.push({ what, from, bytes, otherwise });
        }
      }
      models.push(modelOutlook(plan, planned, { weights, data, rates: engine.rates }));
    }
    parts.push({ part: plan.part, models });
  }
  const seconds = parts.flatMap(({ models }) => models).map(({ seconds }) => seconds);
  const start = engine.rates?.startSeconds ?? null;
  const isCacheNeeded = downloads.length > 0 ||
    parts.flatMap(({ models }) => models).some(({ disk }) => disk.features > 0);
  const obstacle = isCacheNeeded
    ? await cacheObstacle("downloads or features", cacheDir())
    : undefined;
  return {
    parts,
    backend: engine.backend,
    reason: engine.reason,
    engine: engine.name,
    device: engine.device,
    threads: engine.threads,
    data: data.state === "here" ? `${data.dataset.name}, ${data.dataset.source}` : data.title,
    seconds: [...plans.map(() => start), ...seconds].reduce(plus, 0),
    downloads,
    out: flags.out,
    resume: flags.resume,
    tensorboard: flags.tensorboard,
    ...(obstacle && { cache_problem: failureLine(obstacle) }),
  };
}

function dataDownload(data: DatasetNeeds): Fetch[] {
  if (data.state === "here") return [];
  const { title: what, from, bytes } = data;
  return [{ what, from, bytes }];
}

function modelOutlook(
  { seeds, flags }: PartPlan,
  planned: PlannedModel,
  { weights, data, rates }: {
    weights: WeightsNeeds | undefined;
    data: DatasetNeeds;
    rates: MachineRates | undefined;
  },
): ModelOutlook {
  const { model, settings, featureBytes, featuresEveryEpoch, boxesOfSeed = false } = planned;
  const { train, test } = imageCounts(sizeOf(flags), setSizes(data));
  const isRandom = weights?.state === "here" && weights.label === "random";
  const features = featuresEveryEpoch ? "every epoch" : isRandom ? "each run" : "once";
  const work = {
    ...sizeOf(flags),
    runs: seeds.length,
    features,
    ...(settings && { epochs: settings.epochs, batchSize: settings.batchSize }),
  } as const;
  const { epochs, batchSize, learningRate, weightDecay, oneCycle = false } = settings ?? {};
  const checkpoint = expectedCheckpointBytes(model, settings ?? null);
  const ofImages = featureBytes ? featureBytes.train * train + featureBytes.test * test : 0;
  return {
    model: model.name,
    seeds,
    train_images: settings === undefined ? 0 : train,
    test_images: test,
    settings: settings === undefined ? {} : {
      epochs: epochs!,
      batch_size: batchSize!,
      learning_rate: learningRate!,
      weight_decay: weightDecay!,
      one_cycle: Boolean(oneCycle),
    },
    weights: weights === undefined ? "" : weights.state === "here" ? weights.label : weights.file,
    seconds: rates === undefined ? null : modelSeconds(model, work, rates),
    disk: {
      results: seeds.length * checkpoint,
      features: (isRandom || boxesOfSeed ? seeds.length : 1) * ofImages,
    },
  };
}

function sizeOf({ limit, testLimit }: PartPlan["flags"]) {
  return { ...(limit !== undefined && { limit }), ...(testLimit !== undefined && { testLimit }) };
}

function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

async function pageOf(outlook: Outlook): Promise<string[]> {
  const { parts, engine, device, threads, data, seconds, downloads, out } = outlook;
  const { resume, tensorboard, backend, reason, cache_problem: cacheProblem } = outlook;
  const models = parts.flatMap(({ models }) => models);
  const row = (name: string, text: string) => `  ${name.padEnd("downloads".length)}  ${text}`;
  const results = models.reduce((sum, { disk }) => sum + disk.results, 0);
  const features = models.reduce((sum, { disk }) => sum + disk.features, 0);
  return [
    "Dry run: nothing is trained, fetched or written",
    ...parts.flatMap(({ part, models }) => [
      `Part ${part}`,
      ...models.flatMap((model) => describeModel(model).map(([name, text]) => row(name, text))),
    ]),
    parts.length === 1 ? "For this part" : "For all parts",
    row("data", data),
    row("backend", reason === "" ? backend : `${backend}: ${reason}`),
    row(
      "engine",
      engine === "" ? "libtensorflow, to be fetched" : `${engine} (${device}, threads: ${threads})`,
    ),
    // Of a single model it stands there.
    ...(models.length > 1 ? [row("time", describeTime(seconds))] : []),
    row("disk", `${formatBytes(results)} of checkpoints, ${await roomIn(out)}`),
    ...(features === 0
      ? []
      : [row("", `up to ${formatBytes(features)} of features, ${await roomIn(cacheDir())}`)]),
    ...(downloads.length === 0
      ? [row("downloads", "none")]
      : downloads.map((fetch, i) => row(i === 0 ? "downloads" : "", describeFetch(fetch)))),
    ...(cacheProblem === undefined ? [] : [row("cache", cacheProblem)]),
    row(
      "results",
      [
        out,
        ...(resume ? ["where an interrupted run is resumed"] : []),
        ...(tensorboard ? ["with events for TensorBoard"] : []),
      ].join(", "),
    ),
  ];
}

function describeModel(outlook: ModelOutlook): [name: string, text: string][] {
  const { model, seeds, train_images, test_images, settings, weights, seconds } = outlook;
  const shown = 10;
  const list = seeds.slice(0, shown).join(", ") + (seeds.length > shown ? ", …" : "");
  const { epochs, batch_size, learning_rate, weight_decay, one_cycle } = settings;
  return [
    ["runs", `${seeds.length} of ${model}, seed${seeds.length === 1 ? "" : "s"} ${list}`],
    [
      "images",
      (train_images > 0 ? `${train_images} to train on, ` : "") + `${test_images} to test on`,
    ],
    [
      "settings",
      epochs === undefined
        ? "nothing is trained"
        : `${epochs} epoch${epochs === 1 ? "" : "s"}, batch ${batch_size}, ` +
          `learning rate ${learning_rate}${one_cycle ? " (one cycle)" : ""}, ` +
          `weight decay ${weight_decay}`,
    ],
    ...(weights === "" ? [] : [["weights", weights] as [string, string]]),
    ["time", describeTime(seconds)],
  ];
}

function describeTime(seconds: number | null): string {
  return seconds === null
    ? "unknown until libtensorflow has been fetched and can be measured"
    : `about ${roundDuration(seconds)}, as measured just now`;
}

async function roomIn(folder: string): Promise<string> {
  const free = await freeSpace(folder);
  return `${folder}${free === undefined ? "" : ` has ${formatBytes(free)} free`}`;
}

function describeFetch({ what, from, bytes, otherwise }: Fetch): string {
  const size = bytes === 0 ? "" : `, ${formatBytes(bytes)}`;
  return `${what} from ${from}${size}${otherwise === undefined ? "" : `; else ${otherwise}`}`;
}
