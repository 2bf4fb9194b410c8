/**
 * Which inputs of a TensorFlow op are lists: read from the op's own definition.
 *
 * @module
 */

import type { OpAttribute } from "./attributes.ts";
import { notNull, type TensorFlow } from "./tensorflow.ts";

/** One input in an op's definition. */
export interface InputArgument {
  /** The attribute that holds the list's length (`N`), or the list of types. */
  lengthAttribute?: string;
  /** The attribute that holds the type of an input that is no list. */
  typeAttribute?: string;
  /** True if several tensors are given for this one input. */
  isList: boolean;
}

const known = new Map<string, InputArgument[]>();

/** The inputs of an op, in order. */
export function inputArguments(
  tensorflow: TensorFlow,
  graph: Deno.PointerObject,
  opName: string,
): InputArgument[] {
  let found = known.get(opName);
  if (found === undefined) {
    found = parseInputs(readDefinition(tensorflow, graph, opName));
    known.set(opName, found);
  }
  return found;
}

/**
 * How many of an op's tensors belong to each input.
 *
 * @throws {RangeError} If the number of tensors does not fit the definition.
 */
export function listLengths(
  opName: string,
  parameters: readonly InputArgument[],
  attributes: readonly OpAttribute[],
  count: number,
): number[] {
  const unknown: number[] = [];
  const lengths = parameters.map((parameter, index) => {
    if (!parameter.isList) return 1;
    const value = attributes.find(({ name }) => name === parameter.lengthAttribute)?.value;
    if (typeof value === "number") return value;
    if (Array.isArray(value)) return value.length;
    unknown.push(index);
    return 0;
  });
  const rest = count - lengths.reduce((sum, length) => sum + length, 0);
  // One list of unstated length takes what is left.
  if (unknown.length === 1 && rest >= 0) lengths[unknown[0]!] = rest;
  else if (rest !== 0 || unknown.length > 1) {
    throw new RangeError(`Cannot record ${opName}: ${count} inputs do not fit its definition`);
  }
  return lengths;
}

/**
 * The attributes that have to be stated: TensorFlow takes an op's types from its inputs, and a
 * kernel of tfjs-node may state another one (for `Mean` of int32 and bool, that from before a cast).
 */
export function statedAttributes(
  parameters: readonly InputArgument[],
  attributes: readonly OpAttribute[],
): OpAttribute[] {
  return attributes.filter(({ name }) =>
    !parameters.some(({ typeAttribute }) => typeAttribute === name)
  );
}

function readDefinition(
  tensorflow: TensorFlow,
  graph: Deno.PointerObject,
  opName: string,
): Uint8Array {
  const { symbols, status } = tensorflow;
  const buffer = notNull(symbols.TF_NewBuffer(), "TF_NewBuffer");
  try {
    symbols.TF_GraphGetOpDef(graph, tensorflow.cString(opName), buffer, status);
    tensorflow.check(`Cannot look up the op ${opName}`);
    // TF_Buffer: { const void* data; size_t length; ... }
    const view = new Deno.UnsafePointerView(buffer);
    const data = notNull(view.getPointer(0), "TF_GraphGetOpDef");
    const bytes = new Uint8Array(Number(view.getBigUint64(8)));
    new Deno.UnsafePointerView(data).copyInto(bytes);
    return bytes;
  } finally {
    symbols.TF_DeleteBuffer(buffer);
  }
}

/** Field numbers of `tensorflow.OpDef` and its `ArgDef` (`op_def.proto`). */
const INPUT_ARG = 2;
const TYPE_ATTR = 4;
const NUMBER_ATTR = 5;
const TYPE_LIST_ATTR = 6;

/** The `input_arg`s of a serialised `tensorflow.OpDef`. */
function parseInputs(definition: Uint8Array): InputArgument[] {
  const inputs: InputArgument[] = [];
  for (const { field, bytes } of protoFields(definition)) {
    if (field !== INPUT_ARG || bytes === undefined) continue;
    const text = (...wanted: number[]) => {
      const found = [...protoFields(bytes)].find(({ field }) => wanted.includes(field))?.bytes;
      return found && new TextDecoder().decode(found);
    };
    const lengthAttribute = text(NUMBER_ATTR, TYPE_LIST_ATTR);
    const typeAttribute = text(TYPE_ATTR);
    if (lengthAttribute) inputs.push({ isList: true, lengthAttribute });
    else inputs.push({ isList: false, ...(typeAttribute !== undefined && { typeAttribute }) });
  }
  return inputs;
}

/** Walks the fields of a protocol buffer message; `bytes` for length-delimited ones. */
function* protoFields(message: Uint8Array): Generator<{ field: number; bytes?: Uint8Array }> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1;; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new SyntaxError("Cannot parse an op definition: cut short");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        varint();
        yield { field };
        break;
      case 1:
        at += 8;
        yield { field };
        break;
      case 2: {
        const length = varint();
        yield { field, bytes: message.subarray(at, at += length) };
        break;
      }
      case 5:
        at += 4;
        yield { field };
        break;
      default:
        throw new SyntaxError(`Cannot parse an op definition: wire type ${tag % 8}`);
    }
  }
}
