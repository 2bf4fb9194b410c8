/**
 * Opcodes of pickles that are not read.
 *
 * @module
 */

/** Opcodes that no state dict needs, named so that an error can. */
export const REFUSED_OPCODES: Readonly<Record<string, string>> = {
  "0": "POP",
  "1": "POP_MARK",
  "2": "DUP",
  "F": "FLOAT",
  "I": "INT",
  "L": "LONG",
  "P": "PERSID",
  "S": "STRING",
  "V": "UNICODE",
  "d": "DICT",
  "g": "GET",
  "i": "INST",
  "l": "LIST",
  "o": "OBJ",
  "p": "PUT",
  "\x82": "EXT1",
  "\x83": "EXT2",
  "\x84": "EXT4",
  "\x97": "NEXT_BUFFER",
  "\x98": "READONLY_BUFFER",
};
