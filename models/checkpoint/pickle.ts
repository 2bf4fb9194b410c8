/**
 * A Python pickle read as data.
 *
 * The pickle's own program is followed, but the only names it can reach are those in an allow-list,
 * and what they do is written here in TypeScript: no code of the file is run. Where other names are
 * let pass, what they stand for is an {@linkcode InertObject}. The opcodes are those that `torch.save`
 * writes under protocols 2 to 5, Python 2's strings and, where they are asked for, bytes. Length,
 * number of steps and copying are bounded, and there is no recursion.
 *
 * @module
 */

import type { ByteCursor } from "./byte_cursor.ts";
import { REFUSED_OPCODES } from "./pickle_opcodes.ts";
import {
  InertObject,
  kindOf,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  type PickleValue,
} from "./pickle_value.ts";
import { quoted } from "./state_dict.ts";

/** Longest pickle read, in bytes. */
export const MAX_PICKLE_BYTES = 1 << 24;

/** Most opcodes followed and items copied: some 25,000 tensors. */
const MAX_STEPS = 1_000_000;

/** Longest integer, in bytes, as in the one-byte-length opcode. */
const MAX_LONG_BYTES = 255;

/** What to do about a checkpoint that holds more than a state dict. */
export const SAVE_AGAIN = "save it again with torch.save(model.state_dict(), path)";

/** What to do about tensors of a dtype that is not taken, and about quantised ones. */
export const SAVE_AS_FLOAT32 = saveAsFloat32("float");
export const SAVE_DEQUANTISED = saveAsFloat32("dequantize");

function saveAsFloat32(method: string): string {
  return `save it again as float32: {name: tensor.${method}() for name, tensor in state_dict.items()}`;
}

/** What a pickle may reach. */
export interface PickleEnvironment {
  /** The allow-list, by module and name joined by a dot. */
  globals: ReadonlyMap<string, PickleGlobal>;
  /** Gives what stands for a name outside of the list; without it, such names and sets are refused. */
  foreign?: (name: string) => PickleGlobal;
  /** Gives the object for a persistent id; without it, ids are refused. */
  persistent?: (id: PickleValue) => PickleValue;
  /** Gives the object for bytes in the file, which are not read; without it, they are refused. */
  bytes?: (position: number, length: number) => PickleValue;
}

/**
 * Reads one pickle.
 *
 * @param cursor Where it begins; afterwards just behind its end.
 * @param environment The names and ids it may use.
 * @returns The pickled value.
 * @throws {StudyError} If it is cut short, malformed, too large, or uses anything not allowed.
 */
export function unpickle(cursor: ByteCursor, environment: PickleEnvironment): PickleValue {
  return new Unpickler(cursor, environment).run();
}

/** Refuses a name that no state dict has. */
export function refuseForeign(cursor: ByteCursor, name: string): never {
  cursor.refuse(
    `asks for ${quoted(name)}, which no state dict needs (nothing was run)`,
    SAVE_AGAIN,
  );
}

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Unpickler {
  readonly #cursor: ByteCursor;
  readonly #environment: PickleEnvironment;
  readonly #stack: PickleValue[] = [];
  /** Stack heights at the open marks. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #steps = 0;

  constructor(cursor: ByteCursor, environment: PickleEnvironment) {
    this.#cursor = cursor;
    this.#environment = environment;
  }

  run(): PickleValue {
    for (;;) {
      this.#count(1);
      const opcode = this.#cursor.byte();
      if (opcode === 0x2e /* STOP */) return this.#pop();
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    const cursor: ByteCursor = this.#cursor;
    const stack = this.#stack;
    switch (opcode) {
      case 0x80: { // PROTO
        const protocol = cursor.byte();
        if (protocol < 2 || protocol > 5) {
          cursor.refuse(`has pickle protocol ${protocol}, not 2 to 5`, SAVE_AGAIN);
        }
        return;
      }
      case 0x95: // FRAME
        this.#length(cursor.view(8).getBigUint64(0, true));
        return;
      case 0x4e: // NONE
        return void stack.push(null);
      case 0x88: // NEWTRUE
        return void stack.push(true);
      case 0x89: // NEWFALSE
        return void stack.push(false);
      case 0x4b: // BININT1
        return void stack.push(cursor.byte());
      case 0x4d: // BININT2
        return void stack.push(cursor.view(2).getUint16(0, true));
      case 0x4a: // BININT
        return void stack.push(cursor.view(4).getInt32(0, true));
      case 0x8a: // LONG1
        return void stack.push(this.#long(cursor.byte()));
      case 0x8b: // LONG4
        return void stack.push(this.#long(cursor.view(4).getUint32(0, true)));
      case 0x47: // BINFLOAT
        return void stack.push(cursor.view(8).getFloat64(0));
      case 0x55: // SHORT_BINSTRING
      case 0x8c: // SHORT_BINUNICODE
        return void stack.push(this.#string(cursor.byte()));
      case 0x54: // BINSTRING
      case 0x58: // BINUNICODE
        return void stack.push(this.#string(cursor.view(4).getUint32(0, true)));
      case 0x8d: // BINUNICODE8
        return void stack.push(this.#string(this.#length(cursor.view(8).getBigUint64(0, true))));
      case 0x43: // SHORT_BINBYTES
        return void stack.push(this.#bytes(cursor.byte(), "SHORT_BINBYTES"));
      case 0x42: // BINBYTES
        return void stack.push(this.#bytes(cursor.view(4).getUint32(0, true), "BINBYTES"));
      case 0x8e: // BINBYTES8
      case 0x96: { // BYTEARRAY8
        const length = this.#length(cursor.view(8).getBigUint64(0, true));
        return void stack.push(this.#bytes(length, "BINBYTES8"));
      }
      case 0x8f: // EMPTY_SET
        return void stack.push(this.#set([], "EMPTY_SET"));
      case 0x91: // FROZENSET
        return void stack.push(this.#set(this.#popToMark(), "FROZENSET"));
      case 0x90: // ADDITEMS
        return this.#append(this.#popToMark());
      case 0x28: // MARK
        return void this.#marks.push(stack.length);
      case 0x29: // EMPTY_TUPLE
        return void stack.push(new PickleTuple([]));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return void stack.push(this.#tuple(opcode - 0x84));
      case 0x74: // TUPLE
        return void stack.push(new PickleTuple(this.#popToMark()));
      case 0x5d: // EMPTY_LIST
        return void stack.push([]);
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popToMark());
      case 0x7d: // EMPTY_DICT
        return void stack.push(new Map());
      case 0x73: // SETITEM
        return this.#setItems([this.#pop(), this.#pop()].reverse());
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());
      case 0x71: // BINPUT
        return void this.#memo.set(cursor.byte(), this.#top());
      case 0x72: // LONG_BINPUT
        return void this.#memo.set(cursor.view(4).getUint32(0, true), this.#top());
      case 0x94: // MEMOIZE
        return void this.#memo.set(this.#memo.size, this.#top());
      case 0x68: // BINGET
        return void stack.push(this.#remembered(cursor.byte()));
      case 0x6a: // LONG_BINGET
        return void stack.push(this.#remembered(cursor.view(4).getUint32(0, true)));
      case 0x63: // GLOBAL
        return void stack.push(this.#global(this.#line(), this.#line()));
      case 0x93: { // STACK_GLOBAL
        const name = this.#pop();
        const module = this.#pop();
        if (typeof module !== "string" || typeof name !== "string") {
          cursor.refuse("names a global by something that is not a string");
        }
        return void stack.push(this.#global(module, name));
      }
      case 0x81: // NEWOBJ
      case 0x52: // REDUCE
        return void stack.push(this.#call(this.#pop(), this.#pop()));
      case 0x92: // NEWOBJ_EX
        this.#pop();
        return void stack.push(this.#call(this.#pop(), this.#pop()));
      case 0x62: // BUILD
        return this.#build(this.#pop());
      case 0x51: { // BINPERSID
        const { persistent } = this.#environment;
        if (persistent === undefined) cursor.refuse("refers to a storage where none can be");
        return void stack.push(persistent(this.#pop()));
      }
      default: {
        const name = REFUSED_OPCODES[String.fromCharCode(opcode)];
        if (name === undefined) cursor.refuse(`has byte ${opcode} where an opcode should be`);
        this.#refuseOpcode(name);
      }
    }
  }

  #refuseOpcode(name: string): never {
    this.#cursor.refuse(`uses the opcode ${name}, which no state dict needs`, SAVE_AGAIN);
  }

  #count(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_STEPS) {
      this.#cursor.refuse(`takes over ${MAX_STEPS} steps to read, far more than a state dict`);
    }
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length === (this.#marks.at(-1) ?? 0)) {
      this.#cursor.refuse("takes a value where there is none");
    }
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) this.#cursor.refuse("takes values since a mark where there is none");
    return this.#stack.splice(mark);
  }

  #tuple(length: number): PickleTuple {
    return new PickleTuple(Array.from({ length }, () => this.#pop()).reverse());
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (list instanceof InertObject) return;
    if (!Array.isArray(list)) this.#cursor.refuse(`appends to a ${kindOf(list)}`);
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    if (dict instanceof InertObject) return;
    if (!(dict instanceof Map)) this.#cursor.refuse(`sets items of a ${kindOf(dict)}`);
    if (items.length % 2 !== 0) this.#cursor.refuse("gives a dict a key without a value");
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (typeof key === "string" && dict.has(key)) {
        this.#cursor.refuse(`names ${quoted(key)} twice`);
      }
      dict.set(key, items[i + 1]!);
    }
  }

  #remembered(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) this.#cursor.refuse(`refers to memo ${index}, which is not set`);
    return value;
  }

  #global(module: string, name: string): PickleGlobal {
    const { globals, foreign } = this.#environment;
    const path = `${module}.${name}`;
    const found = globals.get(path) ?? foreign?.(path);
    if (found === undefined) refuseForeign(this.#cursor, path);
    return found;
  }

  #call(args: PickleValue, target: PickleValue): PickleValue {
    if (target instanceof InertObject) return target;
    if (!(target instanceof PickleGlobal) || target.call === undefined) {
      this.#cursor.refuse(`calls a ${kindOf(target)}`);
    }
    if (!(args instanceof PickleTuple)) {
      this.#cursor.refuse(`calls ${quoted(target.name)} with a ${kindOf(args)} of arguments`);
    }
    for (const arg of args.items) if (Array.isArray(arg)) this.#count(arg.length);
    return target.call(args.items);
  }

  #build(state: PickleValue): void {
    const target = this.#top();
    if (target instanceof PickleObject) return target.setState(state);
    // An OrderedDict's attributes: torch keeps its `_metadata` of module versions there.
    if (!(target instanceof Map)) this.#cursor.refuse(`gives state to a ${kindOf(target)}`);
  }

  #set(items: readonly PickleValue[], opcode: string): PickleValue {
    if (this.#environment.foreign === undefined) this.#refuseOpcode(opcode);
    this.#count(items.length);
    return new InertObject("set");
  }

  #bytes(length: number, opcode: string): PickleValue {
    const { bytes } = this.#environment;
    if (bytes === undefined) this.#refuseOpcode(opcode);
    const { position } = this.#cursor;
    this.#cursor.skip(length);
    return bytes(position, length);
  }

  #string(length: number): string {
    try {
      return DECODER.decode(this.#cursor.take(length));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.#cursor.refuse("has a string that is not UTF-8");
    }
  }

  /** A line of a GLOBAL opcode, without its end. */
  #line(): string {
    const bytes: number[] = [];
    for (let byte = this.#cursor.byte(); byte !== 0x0a; byte = this.#cursor.byte()) {
      if (bytes.push(byte) > 255) this.#cursor.refuse("names a global by over 255 characters");
    }
    return String.fromCharCode(...bytes);
  }

  /** A little-endian two's complement integer. */
  #long(length: number): number | bigint {
    if (length > MAX_LONG_BYTES) this.#cursor.refuse(`has an integer of ${length} bytes`);
    let value = 0n;
    const bytes = this.#cursor.take(length);
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #length(value: bigint): number {
    if (value > BigInt(MAX_PICKLE_BYTES)) this.#cursor.refuse(`has a part of ${value} bytes`);
    return Number(value);
  }
}
