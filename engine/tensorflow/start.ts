/**
 * Starts the `tensorflow` backend: finds libtensorflow, or fetches it, and opens it.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import type { Backend, BackendOptions } from "../backend.ts";
import { findLibrary } from "../library/find_library.ts";
import type { LibraryLocation } from "../library/library_cache.ts";
import { TensorFlowBackend } from "./backend.ts";
import { bfloat16Problem } from "./bfloat16_support.ts";
import type { EagerBinding } from "./eager_binding.ts";
import { tensorflowOps } from "./ops.ts";

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
 * @throws {StudyError} If no library can be found or fetched, no GPU is there for `"gpu"`, or the
 * processor lacks the precision.
 */
export async function startTensorFlow(options: BackendOptions): Promise<StartedTensorFlow> {
  const { device: wanted, libtensorflow, precision, reporter, verbose } = options;
  const library = await findLibrary({
    reporter,
    ...(libtensorflow !== undefined && { libtensorflow }),
  });
  const kernels = new TensorFlowBackend(library.path, { cpuOnly: wanted === "cpu", verbose });
  try {
    const { version, device: { type: device } } = kernels.tensorflow;
    if (wanted === "gpu" && device !== "GPU") {
      throw new StudyError(
        `No GPU: libtensorflow ${version} at ${library.path} sees only the CPU. Install a build ` +
          "with CUDA (pip install 'tensorflow[and-cuda]') and its driver, or use --device cpu",
      );
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
      precision: kernels.precision,
      kernels,
      restart: () => kernels.restart(),
      ops: tensorflowOps(kernels),
      recorder: kernels,
      library,
      binding: kernels.eager,
    };
  } catch (error) {
    kernels.dispose();
    throw error;
  }
}
