/**
 * Where the study's own committed results are.
 *
 * @module
 */

/**
 * The results folder of the runs that the study's tables are made from, below the repository's root;
 * everything else in `results/` is what users ran, and git ignores it.
 */
export const REFERENCE_RESULTS = "results/reference";
