"""Runs jobs of recovery.py, the reference of weight updates, in one process, and writes down which weights are zero after each.

Reads a request as JSON from stdin (see recovery.slow.ts), prints one JSON line for each job. The zeros are written as bytes, layer after layer, into
the request's folder.
"""
import importlib.util, json, os, sys, types
import numpy as np, torch


def load(path):
    spec = importlib.util.spec_from_file_location('recovery', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


request = json.load(sys.stdin)
sys.path.insert(0, os.path.dirname(request['recovery']))
recovery = load(request['recovery'])
from reference import LINEAR, Llama, Tokenizer, perplexity

torch.set_num_threads(request['threads'])
tokenizer = Tokenizer(request['model'] + '/tokenizer.json')
T = request['length']


def tokens(path):
    return torch.tensor(tokenizer.encode(open(path, encoding='utf8').read()))


text, calibration = tokens(request['text']), tokens(request['calibration'])
blocks = text[: request['blocks'] * T].view(-1, T)
step = len(calibration) // request['samples']
samples = torch.stack([calibration[j * step:][:T] for j in range(request['samples'])])
for job in request['jobs']:
    model = Llama(request['model'])
    nm = tuple(map(int, job['nm'].split(':'))) if 'nm' in job else None
    options = types.SimpleNamespace(sparsity=job.get('share', 0.5), nm=nm)
    recovery.prune_and_update(model, samples, job['kind'], job.get('expression', ''), None, options)
    with open(f"{request['folder']}/{job['name']}.mask", 'wb') as file:
        for i in range(model.depth):
            for linear in LINEAR:
                file.write((model.weights[model.key(i, linear)] == 0).numpy().astype(np.uint8).tobytes())
    print(json.dumps({'name': job['name'], 'value': perplexity(model, blocks)}), flush=True)
