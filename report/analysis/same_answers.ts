/**
 * Whether PyTorch answers as ours do, image by image, from the same weights.
 *
 * @module
 */

import type { PeerRun } from "../record/peer_runs.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { AnswerComparison } from "./comparison.ts";
import type { PredictedRun } from "./rankings.ts";

/**
 * Sets the answers of PyTorch's runs beside those of the runs of ours whose weights they took, as far
 * as both go.
 *
 * @param runs All of ours that such a run may name, not the newest alone.
 * @returns `answers` in the order of `peers`; `rest` are PyTorch's runs without such a one of ours.
 */
export function compareAnswers<Peer extends PeerRun>(
  runs: readonly PredictedRun[],
  peers: readonly Peer[],
): { answers: AnswerComparison[]; rest: Peer[] } {
  const answers: AnswerComparison[] = [];
  const rest: Peer[] = [];
  for (const peer of peers) {
    const theirs = peer.predictions ?? [];
    const ours = runs.find(({ row }) => hasWeightsOf(peer, row));
    if (ours === undefined || theirs.length === 0) {
      rest.push(peer);
      continue;
    }
    const { predictions } = ours.predictions;
    const images = Math.min(theirs.length, predictions.length);
    const same = theirs.slice(0, images).filter((digit, i) => digit === predictions[i]).length;
    answers.push({ row: ours.row, images, same, device: peer.device_name ?? null });
  }
  return { answers, rest };
}

/** Whether a run of PyTorch's took its weights from a run of ours, on the same data. */
export function hasWeightsOf(peer: PeerRun, row: ResultRow): boolean {
  return row.run_id === peer.run && row.model === peer.model &&
    row.dataset_sha256 === peer.dataset_sha256;
}
