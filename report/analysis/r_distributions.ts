/**
 * R's distributions, in its port `lib-r-math.js`.
 *
 * @module
 */

// The order counts.
import { restoreStorage } from "./storage_stand_in.ts";
import { pbinom, pt, qbinom, qnorm, qt } from "lib-r-math.js";

restoreStorage();

export { pbinom, pt, qbinom, qnorm, qt };
