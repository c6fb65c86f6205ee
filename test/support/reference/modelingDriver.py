"""Runs the modelling file that lies in exported folders, with PyTorch alone: logits of the same tokens for each folder.

stdin: {"folders": [...], "ids": [...], "to": folder}; writes to/0.f32, to/1.f32, ...: logits [tokens, vocabulary] as float32.
"""

import importlib.util
import json
import os
import struct
import sys
from types import SimpleNamespace

import torch

TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def tensors(file):
    with open(file, "rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
        data = bytearray(stream.read())
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(data[begin:end], dtype=TYPES[entry["dtype"]])
            yield name, values.reshape(entry["shape"]).float()


def logits(folder, ids):
    spec = importlib.util.spec_from_file_location("modeling_espalier", os.path.join(folder, "modeling_espalier.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with open(os.path.join(folder, "config.json")) as stream:
        config = SimpleNamespace(**json.load(stream))
    weights = dict(tensors(os.path.join(folder, "model.safetensors")))
    decoder = module.Decoder(config)
    decoder.load_state_dict({name[6:]: value for name, value in weights.items() if name.startswith("model.")}, strict=True)
    with torch.no_grad():
        embedded = decoder.embed_tokens(torch.tensor([ids]))
        x = decoder(embedded, module.positions_of(embedded, None, 0))
        return x[0] @ weights.get("lm_head.weight", weights["model.embed_tokens.weight"]).T


asked = json.load(sys.stdin)
for index, folder in enumerate(asked["folders"]):
    with open(os.path.join(asked["to"], f"{index}.f32"), "wb") as stream:
        stream.write(logits(folder, asked["ids"]).numpy().astype("<f4").tobytes())
