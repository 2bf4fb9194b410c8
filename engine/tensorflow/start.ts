/**
 * Starts the `tensorflow` backend: finds libtensorflow, or fetches it, and opens it.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import type { Backend, BackendOptions } from "../backend.ts";
import { findLibrary } from "../library/find_library.ts";
import type { LibraryLocation } from "../library/library_cache.ts";
import { openingError } from "./opening_error.ts";
import { processorProblem } from "./avx_support.ts";
import { TensorFlowBackend } from "./backend.ts";
import { bfloat16Problem } from "./bfloat16_support.ts";
import { takesWinograd } from "./conv2d_kernel.ts";
import type { EagerBinding } from "./eager_binding.ts";
import { tensorflowOps } from "./ops.ts";
import { releaseStartUpPages } from "./start_up_pages.ts";
import { threadCount } from "./threads.ts";

/** The backend with what is its own. */
export interface StartedTensorFlow extends Backend {
  /** Where libtensorflow came from. */
  readonly library: LibraryLocation;
  /** The `TFJSBinding` under tfjs-node's kernels. */
  readonly binding: EagerBinding;
}

/**
 * Starts the backend; see `StartBackend`.
 *
 * @throws {StudyError} If no library can be found or fetched, no GPU is there for `"gpu"`, a software
 * adapter is asked for, or the processor lacks the precision.
 */
export async function startTensorFlow(options: BackendOptions): Promise<StartedTensorFlow> {
  const { device: wanted, libtensorflow, precision, reporter, threads, verbose } = options;
  if (wanted === "software") {
    throw new StudyError("The tensorflow backend uses no graphics adapter, so no software one", {
      remedy: "use --backend webgpu with --device software, or --device cpu",
    });
  }
  // Before anything is fetched or loaded.
  threadCount(threads);
  const library = await findLibrary({
    reporter,
    ...(libtensorflow !== undefined && { libtensorflow }),
  });
  const problem = processorProblem(library);
  if (problem?.fatal) throw new StudyError(problem.text);
  if (problem !== undefined) reporter.warn(problem.text);
  let kernels: TensorFlowBackend;
  try {
    kernels = new TensorFlowBackend(library.path, { cpuOnly: wanted === "cpu", threads, verbose });
  } catch (error) {
    throw await openingError(library.path, error);
  }
  releaseStartUpPages((file) => file.startsWith("libtensorflow"));
  try {
    const { version, device: { type: device } } = kernels.tensorflow;
    if (wanted === "gpu" && device !== "GPU") {
      throw new StudyError(`No GPU: libtensorflow ${version} sees only the CPU`, {
        details: [`it is at ${library.path}`],
        remedy: "install a build with CUDA (pip install 'tensorflow[and-cuda]') and its driver, " +
          "or use --device cpu",
      });
    }
    if (precision !== "float32") {
      const problem = bfloat16Problem(device);
      if (problem === undefined) kernels.precision = "bfloat16";
      else if (precision === "bfloat16") throw new StudyError(problem);
    }
    return {
      name: "tensorflow",
      device,
      version,
      description: `libtensorflow ${version} on ${device}, from ${library.source}: ${library.path}`,
      precision: kernels.precision,
      ...(takesWinograd(device, kernels.precision) && { convolutions: "winograd" }),
      kernels,
      restart: () => kernels.restart(),
      ops: tensorflowOps(kernels),
      recorder: kernels,
      openSummaries: async (folder) =>
        (await import("./summary_writer.ts")).openSummaryWriter(kernels.eager, folder),
      threads: kernels.tensorflow.threads,
      library,
      binding: kernels.eager,
    };
  } catch (error) {
    kernels.dispose();
    throw error;
  }
}
