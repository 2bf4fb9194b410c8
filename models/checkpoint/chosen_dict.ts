/**
 * Which of a checkpoint's dicts is the model's.
 *
 * @module
 */

import type { ByteCursor } from "./byte_cursor.ts";
import { refuseForeign, SAVE_AGAIN } from "./pickle.ts";
import {
  InertObject,
  kindOf,
  type PickleDict,
  PickleGlobal,
  type PickleValue,
} from "./pickle_value.ts";
import { quoted } from "./state_dict.ts";
import { TensorObject, type TensorView } from "./torch_objects.ts";

/** Keys of the whole under which a model's dict is taken, whatever else there is. */
const USUAL_KEYS = ["state_dict", "model"];

/** Most dicts within each other that are looked into. */
const MAX_DEPTH = 4;

/** A dict of tensors and where it was. */
export interface ChosenDict {
  views: Map<string, TensorView>;
  /** Keys that lead to it; empty if it is the whole. */
  path: readonly string[];
  /** What stands beside it: keys of the whole, and of what kind each is. */
  beside: readonly string[];
}

/**
 * The tensors of a checkpoint's top-level value: a dict of them; a dict that holds such a dict under
 * `state_dict` or `model`; or one that holds a single such dict anywhere, optimisers' left aside.
 *
 * @throws {StudyError} If there is none, or there are several and none has a usual key.
 */
export function chooseDict(value: PickleValue, cursor: ByteCursor): ChosenDict {
  const foreignName = value instanceof InertObject
    ? value.foreignName
    : value instanceof PickleGlobal
    ? value.name
    : undefined;
  if (foreignName !== undefined) refuseForeign(cursor, foreignName);
  if (!(value instanceof Map)) cursor.refuse(`holds a ${kindOf(value)}, not a dict`, SAVE_AGAIN);
  if (isDictOfTensors(value)) return { views: viewsOf(value, cursor), path: [], beside: [] };
  const found = dictsWithin(value);
  const usual = USUAL_KEYS.map((key) => found.find(({ path }) => path.join() === key));
  const chosen = usual.find((candidate) => candidate !== undefined) ?? found[0];
  if (chosen === undefined) {
    const inner = USUAL_KEYS.map((key) => value.get(key)).find((item) => item instanceof Map);
    return { views: viewsOf(inner ?? value, cursor), path: [], beside: [] };
  }
  if (found.length > 1 && !usual.includes(chosen)) {
    const paths = found.map(({ path }) => quoted(path.join(".")));
    const more = paths.length > 5 ? ` and ${paths.length - 5} more` : "";
    cursor.refuse(
      `has several dicts of tensors: ${paths.slice(0, 5).join(", ")}${more}`,
      "save the one that is wanted alone: torch.save(checkpoint[name], path)",
    );
  }
  const { dict, path } = chosen;
  const beside = [...value].filter(([key]) => key !== path[0])
    .map(([key, item]) =>
      `${typeof key === "string" ? quoted(key) : kindOf(key)} (${kindOf(item)})`
    );
  return { views: viewsOf(dict, cursor), path, beside };
}

interface Candidate {
  dict: PickleDict;
  path: readonly string[];
}

/** Every dict of tensors within a dict, each once, but for optimisers' and numbers noted as tensors. */
function dictsWithin(root: PickleDict): Candidate[] {
  const found: Candidate[] = [];
  const seen = new Set<PickleValue>([root]);
  const search = (dict: PickleDict, path: readonly string[]) => {
    if (path.length === MAX_DEPTH || dict.has("param_groups")) return;
    for (const [key, item] of dict) {
      if (typeof key !== "string" || !(item instanceof Map)) continue;
      if (seen.has(item) || /optim/i.test(key)) continue;
      seen.add(item);
      const place = [...path, key];
      if (!isDictOfTensors(item)) search(item, place);
      else if (![...item.values()].every(isSingle)) found.push({ dict: item, path: place });
    }
  };
  search(root, []);
  return found;
}

function isDictOfTensors(dict: PickleDict): boolean {
  return [...dict].every(([name, item]) =>
    typeof name === "string" && item instanceof TensorObject
  );
}

function isSingle(value: PickleValue): boolean {
  return value instanceof TensorObject && value.isSingle;
}

function viewsOf(dict: PickleDict, cursor: ByteCursor): Map<string, TensorView> {
  const views = new Map<string, TensorView>();
  for (const [name, item] of dict) {
    if (typeof name !== "string") cursor.refuse(`has a ${kindOf(name)} for a name`, SAVE_AGAIN);
    if (!(item instanceof TensorObject)) {
      cursor.refuse(`has a ${kindOf(item)} under ${quoted(name)}, not a tensor`, SAVE_AGAIN);
    }
    views.set(name, item.view);
  }
  return views;
}
