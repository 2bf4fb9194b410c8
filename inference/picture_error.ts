/**
 * Why a picture cannot be read.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";

/** The message is the end of a sentence about the picture: `it is empty`. */
export class PictureError extends StudyError {
  override name = "PictureError";
}
