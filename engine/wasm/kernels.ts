/**
 * What tfjs runs its kernels on: the package's, whose tensors may still be disposed of once it has been.
 *
 * @module
 */

import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
import { engineIsGone } from "../gone.ts";
import type { WasmModule } from "./glue.ts";
import type { WasmPackage } from "./package.ts";

/** The package's kernels, on one module. */
export interface WasmKernels extends BackendWasm {
  /** Whether its module is gone. */
  readonly isDisposed: boolean;
}

/** In a module's place once it is gone: what was in its memory went with it. */
const NO_MODULE = {
  _malloc: engineIsGone,
  _free() {},
  tfjs: { disposeData() {} },
  get HEAPU8() {
    return engineIsGone();
  },
};

/** Makes the kernels of a module. */
export function makeKernels({ BackendWasm }: WasmPackage, module: WasmModule): WasmKernels {
  class Kernels extends BackendWasm implements WasmKernels {
    isDisposed = false;

    override dispose(): void {
      if (this.isDisposed) return;
      this.isDisposed = true;
      super.dispose();
      this.wasm = NO_MODULE as never;
    }
  }

  return new Kernels(module as never);
}
