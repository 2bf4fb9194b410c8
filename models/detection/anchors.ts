/**
 * Anchor boxes of the region proposal network: torchvision's `AnchorGenerator`.
 *
 * @module
 */

import type { ImageSize } from "./boxes.ts";

/** Side of the square anchor on each pyramid level, in pixels. */
export const ANCHOR_SIZES = [32, 64, 128, 256, 512] as const;
/** Height over width of the anchors at one place. */
export const ANCHOR_RATIOS = [0.5, 1, 2] as const;

/** One level's anchors: row by row, and at one place by ratio. */
export interface AnchorGrid {
  /** Height and width of the feature map. */
  map: ImageSize;
  /** Height and width of the padded images. */
  batch: ImageSize;
  /** Side of the square anchor. */
  size: number;
}

/**
 * The anchors around the origin for one level.
 *
 * @param size Side of the square one.
 * @returns `[ratios*4]` corners, whole pixels.
 */
export function cellAnchors(size: number): Float32Array {
  return Float32Array.from(ANCHOR_RATIOS.flatMap((ratio) => {
    const x = Math.round(size / Math.sqrt(ratio) / 2);
    const y = Math.round(size * Math.sqrt(ratio) / 2);
    return [-x, -y, x, y];
  }));
}

/**
 * Some of a level's anchors. They are the whole part of the images' size over the map's apart.
 *
 * @param indices `[k]` positions among the level's anchors.
 * @returns `[k*4]` corners in pixels of the padded images.
 */
export function anchorBoxes(indices: ArrayLike<number>, grid: AnchorGrid): Float32Array {
  const { map: [rows, columns], batch: [height, width], size } = grid;
  const strideY = Math.floor(height / rows);
  const strideX = Math.floor(width / columns);
  const cell = cellAnchors(size);
  const ratios = ANCHOR_RATIOS.length;
  const boxes = new Float32Array(4 * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const place = Math.floor(indices[i]! / ratios);
    const x = place % columns * strideX;
    const y = Math.floor(place / columns) * strideY;
    const from = 4 * (indices[i]! % ratios);
    boxes[4 * i] = x + cell[from]!;
    boxes[4 * i + 1] = y + cell[from + 1]!;
    boxes[4 * i + 2] = x + cell[from + 2]!;
    boxes[4 * i + 3] = y + cell[from + 3]!;
  }
  return boxes;
}
