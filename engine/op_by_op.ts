/**
 * Compiled functions on a backend that cannot record: the body runs as it stands, under the rules that
 * a recording imposes, so that code which runs on one backend runs on all.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";

/** True while a body runs: a compiled function called in it becomes part of it. */
let running = false;

/** Whether a body runs. */
export function isRunningBody(): boolean {
  return running;
}

/**
 * Runs a body in a `tf.tidy()`. Its results are tensors of their own, whatever it returns.
 *
 * @throws {Error} If it uses a tensor from outside other than arguments and variables, or one that has been
 * disposed of, makes a variable, reads a tensor's values, or resets tfjs.
 */
export function runOpByOp<A extends readonly tf.Tensor[], R extends tf.Tensor | tf.Tensor[] | void>(
  fn: (...args: A) => R,
  args: A,
): R {
  if (running) return fn(...args);
  const engine = tf.engine();
  const before = new Set(Object.values(engine.registeredVariables));
  const known = new Set<object>([...args, ...before].map(({ dataId }) => dataId));
  const newest = tf.tidy(() => tf.scalar(0).id);
  const { runKernel } = engine;
  const refuseRead = (): never => {
    throw new Error(
      "Cannot read the data of a tensor while a function is being recorded. Read it before, or " +
        "return the tensor from the compiled function and read it after the call.",
    );
  };
  const refuseReset = (): never => {
    throw new Error("Cannot dispose of the engine while it records a function");
  };
  const guards: Pick<typeof engine, GuardedMethod> = {
    runKernel<T extends tf.Tensor | tf.Tensor[]>(...call: Parameters<typeof runKernel>): T {
      const [name, inputs] = call;
      for (const input of Object.values(inputs)) {
        // One that the kernel can do without.
        if (input === undefined || input === null) continue;
        if (input.isDisposed) {
          throw new Error(`Cannot record ${name} on ${nameOf(input)} that has been disposed of`);
        }
        // A variable's value moves when it is assigned.
        const isInside = input.id > newest || input instanceof tf.Variable;
        if (isInside || known.has(input.dataId)) continue;
        throw new Error(
          `Cannot record ${name} on a tensor of shape [${input.shape}] that was made outside the ` +
            "compiled function: pass it as an argument, make it a tf.variable(), or create it inside",
        );
      }
      return runKernel.apply(engine, call) as T;
    },
    read: refuseRead,
    readSync: refuseRead,
    reset: refuseReset,
    removeBackend: refuseReset,
  };
  running = true;
  Object.assign(engine, guards);
  try {
    return tf.tidy(() => {
      const result = fn(...args);
      const made = Object.values(engine.registeredVariables).find((one) => !before.has(one));
      if (made === undefined) return ownResults(result, newest);
      throw new Error(`Cannot make the variable ${made.name} while recording: make it before`);
    }) as R;
  } finally {
    running = false;
    // What they covered, the methods of the class, is left.
    for (const name of Object.keys(guards)) Reflect.deleteProperty(engine, name);
    for (const variable of Object.values(engine.registeredVariables)) {
      if (!before.has(variable)) variable.dispose();
    }
  }
}

/** Methods of tfjs' engine that are others while a body runs. */
type GuardedMethod = "runKernel" | "read" | "readSync" | "reset" | "removeBackend";

function nameOf(tensor: tf.Tensor): string {
  return tensor instanceof tf.Variable
    ? `the variable ${tensor.name}`
    : `a tensor of shape [${tensor.shape}]`;
}

/** Results of which each is a tensor that the body made, and none is there twice: else a copy is. */
function ownResults(result: tf.Tensor | tf.Tensor[] | void, newest: number): tf.TensorContainer {
  const taken = new Set<tf.Tensor>();
  const own = (tensor: tf.Tensor) => {
    const isOwn = tensor.id > newest && !(tensor instanceof tf.Variable) && !taken.has(tensor);
    taken.add(tensor);
    return isOwn ? tensor : tensor.clone();
  };
  if (result instanceof tf.Tensor) return own(result);
  return Array.isArray(result) ? result.map(own) : result as void;
}
