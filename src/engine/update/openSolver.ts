import type { WeightUpdate } from '../../experiment/updates.ts';
import type { Gram } from '../algebra/gram.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Device } from '../runtime/device.ts';
import { openAdmm } from './admm.ts';
import { openSparseGpt } from './sparseGpt.ts';
import type { PruningSolver, UpdateSolver } from './updateSolver.ts';

/**
 * What an update of the layers that read one input needs of H.
 *
 * @param pause called between parts of it, as those of the solver's own functions are: a wide input takes many seconds
 * @throws EspalierError `recovery/ill-conditioned`, and what `pause` throws
 */
export function openSolver(
  device: Device,
  gram: Gram,
  update: Extract<WeightUpdate, { readonly method: 'sparsegpt' }>,
  pause?: Pause,
): Promise<PruningSolver>;
export function openSolver(device: Device, gram: Gram, update: WeightUpdate, pause?: Pause): Promise<UpdateSolver>;
export function openSolver(device: Device, gram: Gram, update: WeightUpdate, pause?: Pause): Promise<UpdateSolver> {
  return update.method === 'sparsegpt'
    ? openSparseGpt(device, gram, update, pause)
    : openAdmm(device, gram, update, pause);
}
