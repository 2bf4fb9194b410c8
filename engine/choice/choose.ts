/**
 * Which backend `--backend auto` takes.
 *
 * TensorFlow on a GPU comes first; then TensorFlow on the CPU or WebGPU on graphics hardware, whichever
 * trains faster here; WebAssembly last. A software adapter is taken where that is asked for, tfjs' plain
 * JavaScript never.
 *
 * @module
 */

import { failureLines, InterruptedError, StudyError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import {
  type AdapterDescription,
  adapterTitle,
  type Backend,
  type BackendName,
  type BackendOptions,
  WrongSettingError,
} from "../backend.ts";
import { type FindingKey, type FindingStore, isSameKey, type Timing } from "./record.ts";

/** What the choice is made by, besides what was asked for. */
export interface ChoiceDoors<B extends Backend> {
  /** Starts a backend, which does not run yet. */
  start: (name: BackendName, options: BackendOptions) => Promise<B>;
  /** Makes a started backend the running one, and gives the seconds of a training step. */
  measure: (backend: B) => Promise<number>;
  /** The adapter of graphics hardware; undefined if there is none. */
  findHardware: () => Promise<AdapterDescription | undefined>;
  /** What a timing depends on besides the two backends, such as the number of cores. */
  surroundings: () => Promise<FindingKey>;
  /** Where timings are kept. */
  store: FindingStore;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** What is asked for. */
export interface Choice {
  /** What the backends are started with. */
  options: BackendOptions;
  /** Whether a libtensorflow was named, which is used or refused. */
  isLibraryNamed: boolean;
  /** What is tried before all others, and why. */
  prefer?: { backend: BackendName; reason: string } | undefined;
}

/** What was chosen: started, and running where it was measured last. */
export interface Chosen<B extends Backend> {
  name: BackendName;
  backend: B;
  /** Why, in a phrase. */
  reason: string;
}

/** The backends that can do what is asked for, in the order in which they are tried. */
export function candidates(
  { options: { device, precision }, isLibraryNamed }: Pick<Choice, "isLibraryNamed"> & {
    options: Pick<BackendOptions, "device" | "precision">;
  },
): BackendName[] {
  // What was named is used or refused.
  if (isLibraryNamed) return ["tensorflow"];
  if (device === "software") return ["webgpu"];
  // The others have no bfloat16, and with `gpu` WebAssembly has nothing to offer.
  if (precision === "bfloat16") return ["tensorflow"];
  if (device === "gpu") return ["tensorflow", "webgpu"];
  return device === "cpu" ? ["tensorflow", "wasm"] : ["tensorflow", "webgpu", "wasm"];
}

/**
 * Chooses and starts a backend.
 *
 * @throws {StudyError} If none starts, with what each lacks.
 */
export async function chooseBackend<B extends Backend>(
  choice: Choice,
  doors: ChoiceDoors<B>,
): Promise<Chosen<B>> {
  const { options, prefer } = choice;
  const { device, reporter } = options;
  const names = candidates(choice);
  const failures: { name: BackendName; error: StudyError }[] = [];
  const attempt = async (name: BackendName): Promise<B | undefined> => {
    try {
      return await doors.start(name, options);
    } catch (error) {
      const isFinal = [InterruptedError, WrongSettingError].some((kind) => error instanceof kind);
      if (!(error instanceof StudyError) || isFinal) throw error;
      failures.push({ name, error });
      if (reporter.verbose) tell(name, error);
    }
  };
  const tell = (name: BackendName, error: StudyError) => {
    for (const line of failureLines(error, { prefix: `${name}: `, verbose: true })) {
      reporter.line(line);
    }
  };
  // Graphics drivers bring an LLVM of their own, and libtensorflow, which has one too, ends the process
  // where it is loaded after them.
  let tensorflow: B | undefined;
  if (prefer !== undefined && names.includes(prefer.backend)) {
    const { backend: name, reason } = prefer;
    if (name === "webgpu" && names.includes("tensorflow")) tensorflow = await attempt("tensorflow");
    const isThere = name !== "webgpu" || device !== "auto" || await doors.findHardware();
    const backend = isThere ? await attempt(name) : undefined;
    if (backend !== undefined) {
      tensorflow?.kernels.dispose();
      return { name, backend, reason };
    }
  }
  for (const name of names) {
    if (failures.some((failure) => failure.name === name)) continue;
    // Without hardware it is no candidate. Where nothing else will do, its own words say what it lacks.
    const isOneOfMany = name === "webgpu" && device === "auto";
    if (isOneOfMany && await doors.findHardware() === undefined) continue;
    const backend = name === "tensorflow" ? tensorflow ?? await attempt(name) : await attempt(name);
    if (backend === undefined) continue;
    const isRivalled = name === "tensorflow" && backend.device !== "GPU" && device === "auto" &&
      names.includes("webgpu") && failures.every((failure) => failure.name !== "webgpu");
    const why = reasonFor(failures, device);
    if (!isRivalled) {
      // Otherwise a line on the engine says it.
      const isDropped = failures.some((failure) => failure.name === "tensorflow");
      if (reporter.quiet && isDropped) reporter.warn(`Computing on ${name}: ${why}`);
      return { name, backend, reason: why };
    }
    const chosen = await fasterOf(backend, { options, doors });
    return failures.length === 0 ? chosen : { ...chosen, reason: `${why}; ${chosen.reason}` };
  }
  if (failures.length === 1) throw failures[0]!.error;
  const errors = failures.map(({ error }) => error);
  const isGpuWanted = device === "gpu";
  throw new StudyError(isGpuWanted ? "No backend has a GPU here" : "No backend works here", {
    reason: errors.map(({ what }) => what).join("; "),
    details: errors.map(({ message }) => message),
    remedy: isGpuWanted
      ? "use --device cpu to compute without one; deno task doctor says what each backend lacks"
      : errors.at(-1)?.remedy,
  });
}

/** Why what follows on the failures was taken. */
function reasonFor(
  failures: readonly { name: BackendName; error: StudyError }[],
  device: BackendOptions["device"],
): string {
  if (failures.length === 0) {
    return device === "software" ? "the one with software adapters" : "the first that works";
  }
  const problems = failures.map(({ name, error: { what } }) =>
    `${name} does not start: ${/^.*?(?=\.\s|\.?$)/s.exec(what)![0]}`
  );
  return `${problems.join("; ")}; deno task doctor says what to do`;
}

/** TensorFlow, started on the CPU, or WebGPU: whichever trains faster. */
async function fasterOf<B extends Backend>(
  tensorflow: B,
  { options, doors }: { options: BackendOptions; doors: ChoiceDoors<B> },
): Promise<Chosen<B>> {
  const { start, measure, findHardware, surroundings, store, now = Date.now } = doors;
  const { reporter } = options;
  const first = "the first that works";
  const adapter = await findHardware();
  if (adapter === undefined) return { name: "tensorflow", backend: tensorflow, reason: first };
  const key = timingKey(await surroundings(), tensorflow, adapter);
  const findings = await store.read();
  const known = findings.timings.find((timing) => isSameKey(timing.key, key));
  if (known !== undefined && known.tensorflow <= known.webgpu) {
    return { name: "tensorflow", backend: tensorflow, reason: comparison(known, adapter) };
  }
  let webgpu: B | undefined;
  let timing = known;
  try {
    const seconds = known === undefined ? await timed(() => measure(tensorflow)) : 0;
    webgpu = await start("webgpu", options);
    if (timing === undefined) {
      const started = webgpu;
      const at = new Date(now()).toISOString();
      timing = { key, tensorflow: seconds, webgpu: await timed(() => measure(started)), at };
      await store.write({ ...findings, timings: [timing, ...findings.timings] });
    }
  } catch (error) {
    if (error instanceof InterruptedError || !(error instanceof Error)) throw error;
    // Whatever a driver does, TensorFlow is there.
    const what = error instanceof StudyError ? error.what : error.message;
    const reason = `webgpu does not work on ${adapterTitle(adapter)}: ${what}`;
    return { name: "tensorflow", backend: await again(), reason };
  }
  const reason = comparison(timing, adapter);
  if (timing.webgpu < timing.tensorflow) {
    // One that was measured has been disposed of by then.
    if (known !== undefined) tensorflow.kernels.dispose();
    return { name: "webgpu", backend: webgpu, reason };
  }
  return { name: "tensorflow", backend: await again(), reason };

  /** TensorFlow as it was, which running another backend has disposed of. */
  async function again(): Promise<B> {
    return webgpu === undefined
      ? tensorflow
      : await start("tensorflow", { ...options, reporter: silentReporter });
  }

  async function timed(action: () => Promise<number>): Promise<number> {
    reporter.live("Measuring which backend trains faster here, once for this machine");
    return await action().finally(() => reporter.live(""));
  }
}

/** All that a timing depends on. */
export function timingKey(
  surroundings: FindingKey,
  { version, precision, threads }: Pick<Backend, "version" | "precision" | "threads">,
  { name, vendor }: AdapterDescription,
): FindingKey {
  return { ...surroundings, adapter: name, vendor, tensorflow: version, precision, threads };
}

/** `3.1 times as fast as tensorflow on the CPU, measured on 2026-01-31`. */
export function comparison(timing: Timing, adapter: AdapterDescription): string {
  const { tensorflow, webgpu, at } = timing;
  const isFaster = webgpu < tensorflow;
  const times = (isFaster ? tensorflow / webgpu : webgpu / tensorflow).toPrecision(2);
  const other = isFaster ? "tensorflow on the CPU" : `webgpu on ${adapterTitle(adapter)}`;
  return `${Number(times)} times as fast as ${other}, measured on ${at.slice(0, 10)}`;
}
