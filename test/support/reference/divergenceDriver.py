"""Mean KL(dense || pruned) of the next-token distributions by PyTorch, for tests: a request as JSON in, a line for each job out."""
import importlib.util, json, sys, types

import torch
import torch.nn.functional as F

request = json.load(sys.stdin)
spec = importlib.util.spec_from_file_location('reference', request['reference'])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)
torch.set_num_threads(request['threads'])

tokenizer = reference.Tokenizer(request['model'] + '/tokenizer.json')
encode = lambda path: torch.tensor(tokenizer.encode(open(path, encoding='utf8').read()))
text, calibration = encode(request['text']), encode(request['calibration'])
length, samples, blocks = request['length'], request['samples'], request['blocks']
ids = text[: blocks * length].view(blocks, length)
calibration = torch.stack([calibration[j * (len(calibration) // samples) :][:length] for j in range(samples)])
dense = reference.Llama(request['model'])

with torch.no_grad():
    for job in request['jobs']:
        model = reference.Llama(request['model'])
        options = types.SimpleNamespace(calibrate='one-shot', sparsity=job['share'], nm=None)
        reference.prune(model, job['expression'], calibration, None, options)
        total = 0.0
        for block in ids.split(1):
            p, q = (m.forward(block)[0, :-1].double().log_softmax(-1) for m in (dense, model))
            total += F.kl_div(q, p, log_target=True, reduction='batchmean').item()
        print(json.dumps({'name': job['name'], 'value': total / blocks}), flush=True)
