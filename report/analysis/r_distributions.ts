/**
 * R's distributions, in its port `lib-r-math.js`.
 *
 * @module
 */

// The first gives the second a storage, and so comes first.
import { restoreStorage } from "./storage_stand_in.ts";
import { pbinom, pt, qbinom, qnorm, qt } from "lib-r-math.js";

restoreStorage();

export { pbinom, pt, qbinom, qnorm, qt };
