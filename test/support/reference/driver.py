"""Runs a list of evaluations with the functions of reference.py in one process, and writes down what it computed on the way.

Reads a request as JSON from stdin (see peer.ts), prints one JSON line for each evaluation. The X and G operands and masks of evaluations
that ask for them, and the token ids, are written as raw arrays into the request's folder.
"""
import importlib.util, json, sys, time, types
import numpy as np, torch


def load_reference(path):
    spec = importlib.util.spec_from_file_location('reference', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def record(reference, folder, name, gradients):
    """Lets the reference write every X, every mask and G to name.x, name.mask and name.g, in the order of the layers."""
    norms, mask_of = reference.feature_norms, reference.mask_of
    x_file, mask_file = open(f'{folder}/{name}.x', 'wb'), open(f'{folder}/{name}.mask', 'wb')

    def recorded_norms(model, run, samples):
        found = norms(model, run, samples)
        blocks = sorted({int(key.split('.')[0]) for key in found})
        for key in (f'{block}.{linear}' for block in blocks for linear in reference.LINEAR):
            x_file.write(found[key].numpy().astype(np.float32).tobytes())
        return found

    def recorded_mask(score, sparsity, nm):
        drop = mask_of(score, sparsity, nm)
        mask_file.write(drop.numpy().astype(np.uint8).tobytes())
        return drop

    if gradients:
        with open(f'{folder}/{name}.g', 'wb') as file:
            for gradient in gradients.values():
                file.write(gradient.numpy().astype(np.float32).tobytes())

    def restore():
        reference.feature_norms, reference.mask_of = norms, mask_of
        x_file.close()
        mask_file.close()

    reference.feature_norms, reference.mask_of = recorded_norms, recorded_mask
    return restore


def main():
    request = json.load(sys.stdin)
    reference = load_reference(request['reference'])
    torch.set_num_threads(request['threads'])
    folder, length, samples = request['folder'], request['length'], request['samples']

    tokenizer = reference.Tokenizer(request['model'] + '/tokenizer.json')
    encode = lambda path: torch.tensor(tokenizer.encode(open(path, encoding='utf8').read()))
    text, calibration = encode(request['text']), encode(request['calibration'])
    text.numpy().astype(np.uint32).tofile(f'{folder}/tokens')
    blocks = min(request['blocks'] or len(text), len(text) // length)
    ids = text[:blocks * length].view(blocks, length)
    step = len(calibration) // samples
    chosen = torch.stack([calibration[j * step:][:length] for j in range(samples)])

    print(json.dumps({'name': 'tokens', 'value': len(text)}), flush=True)
    gradients = None
    for evaluation in request['evaluations']:
        model = reference.Llama(request['model'])
        masks, kept = None, {}
        if 'rates' in evaluation:
            masks = reference.wanda_sp(model, evaluation['rates'], chosen)
            kept = {'kept': [[[int(bit) for bit in bits] for bits in block] for block in masks]}
        if 'expression' in evaluation:
            nm = tuple(map(int, evaluation['nm'].split(':'))) if 'nm' in evaluation else None
            options = types.SimpleNamespace(calibrate=evaluation['calibrate'], sparsity=evaluation.get('share', 0), nm=nm)
            if 'G' in evaluation['expression'] and gradients is None:
                gradients = reference.gradients(model, chosen)
            restore = record(reference, folder, evaluation['name'], gradients) if evaluation.get('record') else lambda: None
            reference.prune(model, evaluation['expression'], chosen, gradients, options)
            restore()
        value = reference.perplexity(model, ids, masks)
        print(json.dumps({'name': evaluation['name'], 'value': value, **kept}), flush=True)


if __name__ == '__main__':
    main()
