/// <reference lib="dom" />
/**
 * Grey images on canvases.
 *
 * @module
 */

/** Draws a square image, a pixel for each of its own: [side * side] grey values. */
export function drawGrey(canvas: HTMLCanvasElement, grey: Uint8Array, side: number): void {
  if (canvas.width !== side) [canvas.width, canvas.height] = [side, side];
  const image = new ImageData(side, side);
  for (const [place, value] of grey.entries()) {
    image.data.set([value, value, value, 255], 4 * place);
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
