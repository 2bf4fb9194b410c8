/**
 * Counts what the engine has of TensorFlow: every object that it makes or is given, until it releases it.
 *
 * The count is taken below the binding, at the symbol table, so that a release which is missing shows,
 * whatever the binding itself believes. Releases can be left out on purpose, by the line of the engine
 * that asks for them, and failures be made.
 */

import type { symbols, TensorFlowLibrary } from "../../../engine/tensorflow/c_api.ts";

/** As it is, also while a test has the ledger in its place. */
const { dlopen } = Deno;

/** A string of more bytes has memory of its own. */
const INLINE_STRING_BYTES = 22;

type Kind =
  | "statuses"
  | "tensors"
  | "strings"
  | "context options"
  | "contexts"
  | "device lists"
  | "handles"
  | "ops"
  | "graphs"
  | "buffers"
  | "functions"
  | "registered functions"
  | "variables";

/** Counts through the library that it loads. */
export class NativeLedger {
  /** Lines of the engine, `file.ts:12`, that releases were asked for by, directly or not. */
  readonly releasing = new Set<string>();
  /** Releases of what was not there. */
  readonly faults: string[] = [];
  /** Releases asked for by this line are left out. */
  leaveOut: string | undefined;
  /** The next call of this function gives null. */
  failing: "TFE_NewContext" | "TF_DeviceListType" | undefined;
  /** Whether the device passes for a GPU. */
  gpu = false;
  #live = new Map<Kind, Map<unknown, number>>();

  /** How many of each there are; kinds without any are left out. */
  live(): Partial<Record<Kind, number>> {
    const counts = [...this.#live].map(([kind, keys]) =>
      [kind, [...keys.values()].reduce((sum, n) => sum + n, 0)] as const
    );
    return Object.fromEntries(counts.filter(([, n]) => n > 0).sort());
  }

  /** For `TensorFlowOptions.load`. */
  load = (path: string, table: typeof symbols): TensorFlowLibrary => {
    const library = dlopen(path, table);
    return { symbols: this.#counted(library.symbols), close: () => library.close() };
  };

  #add(kind: Kind, key: unknown): void {
    const keys = this.#live.get(kind) ?? new Map<unknown, number>();
    this.#live.set(kind, keys.set(key, (keys.get(key) ?? 0) + 1));
  }

  /** Keeps a pointer that was returned. */
  #made(kind: Kind, pointer: Deno.PointerValue): Deno.PointerValue {
    if (pointer !== null) this.#add(kind, address(pointer));
    return pointer;
  }

  #release(kind: Kind, key: unknown, action: () => void): void {
    const lines = engineLines();
    for (const line of lines) this.releasing.add(line);
    if (this.leaveOut !== undefined && lines.includes(this.leaveOut)) return;
    const keys = this.#live.get(kind);
    const count = keys?.get(key);
    if (keys === undefined || count === undefined) {
      this.faults.push(`${kind}: released what is not there`);
      return;
    }
    if (count > 1) keys.set(key, count - 1);
    else keys.delete(key);
    action();
  }

  #counted(own: TensorFlowLibrary["symbols"]): TensorFlowLibrary["symbols"] {
    const opNames = new Map<bigint, string>();
    const functionNames = new Map<bigint, string>();
    const cpu = new TextEncoder().encode("CPU\0");
    const gpu = new TextEncoder().encode("GPU\0");
    const deleting = (kind: Kind, action: (pointer: Deno.PointerValue) => void) =>
    (
      pointer: Deno.PointerValue,
    ) => this.#release(kind, address(pointer), () => action(pointer));
    return {
      ...own,
      TF_NewStatus: () => this.#made("statuses", own.TF_NewStatus()),
      TF_DeleteStatus: deleting("statuses", own.TF_DeleteStatus),
      TF_AllocateTensor: (...args) => this.#made("tensors", own.TF_AllocateTensor(...args)),
      TFE_TensorHandleResolve: (...args) =>
        this.#made("tensors", own.TFE_TensorHandleResolve(...args)),
      TF_DeleteTensor: deleting("tensors", own.TF_DeleteTensor),
      TF_StringCopy: (slot, source, size) => {
        if (size > INLINE_STRING_BYTES) this.#add("strings", address(slot));
        own.TF_StringCopy(slot, source, size);
      },
      TF_StringDealloc: (slot) => {
        const isLong = own.TF_StringGetSize(slot) > INLINE_STRING_BYTES;
        if (isLong) this.#release("strings", address(slot), () => own.TF_StringDealloc(slot));
        else own.TF_StringDealloc(slot);
      },
      TFE_NewContextOptions: () => this.#made("context options", own.TFE_NewContextOptions()),
      TFE_DeleteContextOptions: deleting("context options", own.TFE_DeleteContextOptions),
      TFE_NewContext: (...args) => {
        const fails = this.failing === "TFE_NewContext";
        if (fails) this.failing = undefined;
        return fails ? null : this.#made("contexts", own.TFE_NewContext(...args));
      },
      TFE_DeleteContext: deleting("contexts", (context) => {
        // These are its own.
        this.#live.delete("registered functions");
        this.#live.delete("variables");
        own.TFE_DeleteContext(context);
      }),
      TFE_ContextListDevices: (...args) =>
        this.#made("device lists", own.TFE_ContextListDevices(...args)),
      TF_DeviceListType: () => {
        if (this.failing === "TF_DeviceListType") {
          this.failing = undefined;
          throw new Error("The list of devices is made to fail");
        }
        return Deno.UnsafePointer.of(this.gpu ? gpu : cpu);
      },
      TF_DeleteDeviceList: deleting("device lists", own.TF_DeleteDeviceList),
      TFE_NewTensorHandle: (...args) => this.#made("handles", own.TFE_NewTensorHandle(...args)),
      TFE_TensorHandleCopyToDevice: (...args) =>
        this.#made("handles", own.TFE_TensorHandleCopyToDevice(...args)),
      TFE_DeleteTensorHandle: deleting("handles", own.TFE_DeleteTensorHandle),
      TFE_NewOp: (context, name, status) => {
        const op = this.#made("ops", own.TFE_NewOp(context, name, status));
        if (op !== null) opNames.set(address(op), text(name));
        return op;
      },
      TFE_DeleteOp: deleting("ops", own.TFE_DeleteOp),
      TFE_Execute: (op, results, count, status) => {
        const name = opNames.get(address(op));
        const execute = () => own.TFE_Execute(op, results, count, status);
        if (name === "DestroyResourceOp") return this.#release("variables", "", execute);
        execute();
        if (own.TF_GetCode(status) !== 0) return;
        if (name === "VarHandleOp") this.#add("variables", "");
        const addresses = (results as BigUint64Array).subarray(0, (count as Int32Array)[0]);
        for (const one of addresses) this.#add("handles", one);
      },
      TF_NewGraph: () => this.#made("graphs", own.TF_NewGraph()),
      TF_DeleteGraph: deleting("graphs", own.TF_DeleteGraph),
      TF_NewBuffer: () => this.#made("buffers", own.TF_NewBuffer()),
      TF_DeleteBuffer: deleting("buffers", own.TF_DeleteBuffer),
      TF_GraphToFunctionWithControlOutputs: (...args) => {
        const made = this.#made("functions", own.TF_GraphToFunctionWithControlOutputs(...args));
        if (made !== null) functionNames.set(address(made), text(args[1]));
        return made;
      },
      TF_DeleteFunction: deleting("functions", own.TF_DeleteFunction),
      TFE_ContextAddFunction: (context, made, status) => {
        this.#add("registered functions", functionNames.get(address(made)));
        own.TFE_ContextAddFunction(context, made, status);
      },
      TFE_ContextRemoveFunction: (context, name, status) =>
        this.#release(
          "registered functions",
          text(name),
          () => own.TFE_ContextRemoveFunction(context, name, status),
        ),
    };
  }
}

function address(pointer: Deno.PointerValue): bigint {
  return Deno.UnsafePointer.value(pointer);
}

function text(bytes: AllowSharedBufferSource | null): string {
  return new TextDecoder().decode(bytes as Uint8Array).replace(/\0.*$/s, "");
}

/** The lines of `engine/` that led here. */
function engineLines(): string[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = limit;
  return [...stack.matchAll(/(?<!tests)\/engine\/(?:tensorflow\/)?(\w+\.ts:\d+)/g)]
    .map(([, line]) => line!);
}
