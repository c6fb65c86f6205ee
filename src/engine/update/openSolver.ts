import type { WeightUpdate } from '../../experiment/updates.ts';
import type { Gram } from '../algebra/gram.ts';
import type { Device } from '../runtime/device.ts';
import { openAdmm } from './admm.ts';
import { openSparseGpt } from './sparseGpt.ts';
import type { PruningSolver, UpdateSolver } from './updateSolver.ts';

/**
 * What an update of the layers that read one input needs of H.
 *
 * @throws EspalierError `recovery/ill-conditioned`
 */
export function openSolver(
  device: Device,
  gram: Gram,
  update: Extract<WeightUpdate, { readonly method: 'sparsegpt' }>,
): Promise<PruningSolver>;
export function openSolver(device: Device, gram: Gram, update: WeightUpdate): Promise<UpdateSolver>;
export function openSolver(device: Device, gram: Gram, update: WeightUpdate): Promise<UpdateSolver> {
  return update.method === 'sparsegpt' ? openSparseGpt(device, gram, update) : openAdmm(device, gram, update);
}
