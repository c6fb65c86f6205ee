/** Name of the file beside the weights, which config.json names. */
export const MODELING_FILE = 'modeling_espalier.py';

/**
 * The file that lets transformers, and all that reads by it, load blocks that differ in size, with `trust_remote_code`. All but its last section needs
 * PyTorch alone, so that the tests run it.
 */
export const MODELING_PYTHON = `"""Language models that Espalier pruned: LLaMA, Mistral, Qwen2 and Qwen3 whose blocks are no longer alike.

config.json says under "espalier" what each block has left: heads, key-value heads, channels of the MLP, and which projections have a bias. A block
without heads or channels adds nothing there, or the bias alone. Everything above the last section needs PyTorch alone.
"""

import copy
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, size, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x):
        y = x.float()
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.epsilon)
        return self.weight * y.to(x.dtype)


class Bias(nn.Module):
    """An output projection that nothing is left of but its bias."""

    def __init__(self, size):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))


class Attention(nn.Module):
    def __init__(self, config, shape, index, place):
        super().__init__()
        bias = config.espalier["bias"]
        self.heads, self.kv_heads, self.size = shape["heads"], shape["kv_heads"], config.head_dim
        # Caches count the blocks that have heads.
        self.place = place
        types = getattr(config, "layer_types", None)
        self.window = config.sliding_window if types and types[index] == "sliding_attention" else None
        hidden, inner = config.hidden_size, self.heads * self.size
        self.q_proj = nn.Linear(hidden, inner, bias=bias["query_key_value"])
        self.k_proj = nn.Linear(hidden, self.kv_heads * self.size, bias=bias["query_key_value"])
        self.v_proj = nn.Linear(hidden, self.kv_heads * self.size, bias=bias["query_key_value"])
        self.o_proj = nn.Linear(inner, hidden, bias=bias["attention_output"])
        if config.espalier["architecture"] == "Qwen3ForCausalLM":
            self.q_norm = RMSNorm(self.size, config.rms_norm_eps)
            self.k_norm = RMSNorm(self.size, config.rms_norm_eps)
        else:
            self.q_norm = self.k_norm = nn.Identity()

    def forward(self, x, rotation, mask, cache):
        """x [batch, tokens, hidden]; rotation: cosines and sines, each [batch, 1, tokens, size]; mask of tokens [batch, all tokens] or None."""

        def by_head(y):
            return y.view(*x.shape[:2], -1, self.size)

        query = rotate(self.q_norm(by_head(self.q_proj(x))).transpose(1, 2), *rotation)
        key = rotate(self.k_norm(by_head(self.k_proj(x))).transpose(1, 2), *rotation)
        value = by_head(self.v_proj(x)).transpose(1, 2)
        if cache is not None:
            key, value = cache.update(key, value, self.place)
        key, value = (y.repeat_interleave(self.heads // self.kv_heads, dim=1) for y in (key, value))
        seen = visible(x.shape[1], key.shape[2], self.window, mask, x.device)
        mixed = attend(query, key, value, seen)
        return self.o_proj(mixed.transpose(1, 2).reshape(*x.shape[:2], -1))


def attend(query, key, value, seen):
    """query [batch, heads, tokens, size]; key and value [batch, heads, all tokens, size]; seen [batch or 1, 1, tokens, all tokens], true where it looks."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
    scores = scores.masked_fill(~seen, torch.finfo(scores.dtype).min)
    return torch.softmax(scores, dim=-1, dtype=torch.float32).to(value.dtype) @ value


def visible(queries, keys, window, mask, device):
    """Which of the last queries tokens looks at which of the last keys: none that comes later, is padding, or lies before its window."""
    distance = torch.arange(keys - queries, keys, device=device)[:, None] - torch.arange(keys, device=device)[None, :]
    seen = distance >= 0
    if window is not None:
        seen = seen & (distance < window)
    seen = seen[None, None]
    if mask is not None:
        # Padding looks at itself: at nothing, it would not be a number.
        seen = seen & mask[:, None, None, -keys:].bool() | (distance == 0)[None, None]
    return seen


def rotate(x, cosine, sine):
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine


def frequencies(config, device):
    """Angle of each pair of features from one position to the next [head_dim / 2]."""
    rope = getattr(config, "rope_parameters", None) or {
        "rope_theta": getattr(config, "rope_theta", 10000.0),
        **(getattr(config, "rope_scaling", None) or {}),
    }
    kind = rope.get("rope_type") or rope.get("type") or "default"
    size = config.head_dim
    plain = rope["rope_theta"] ** (-torch.arange(0, size, 2, dtype=torch.float64, device="cpu") / size)
    plain = plain.float().to(device)
    if kind == "default":
        return plain
    if kind == "linear":
        return plain / rope["factor"]
    if kind == "llama3":
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        turns = rope["original_max_position_embeddings"] * plain / (2 * torch.pi)
        keep = ((turns - low) / (high - low)).clamp(0, 1)
        return (1 - keep) * plain / rope["factor"] + keep * plain
    raise ValueError(f"modeling_espalier.py: expected positions of the kinds default, linear and llama3, not {kind}")


class MLP(nn.Module):
    def __init__(self, config, shape):
        super().__init__()
        bias, hidden, inner = config.espalier["bias"], config.hidden_size, shape["intermediate"]
        self.gate_proj = nn.Linear(hidden, inner, bias=bias["mlp"])
        self.up_proj = nn.Linear(hidden, inner, bias=bias["mlp"])
        self.down_proj = nn.Linear(inner, hidden, bias=bias["mlp_output"])

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, config, index, place):
        super().__init__()
        shape, bias = config.espalier["blocks"][index], config.espalier["bias"]
        hidden, epsilon = config.hidden_size, config.rms_norm_eps
        self.has_heads, self.has_channels = shape["heads"] > 0, shape["intermediate"] > 0
        if self.has_heads:
            self.input_layernorm = RMSNorm(hidden, epsilon)
            self.self_attn = Attention(config, shape, index, place)
        elif bias["attention_output"]:
            self.self_attn = nn.ModuleDict({"o_proj": Bias(hidden)})
        if self.has_channels:
            self.post_attention_layernorm = RMSNorm(hidden, epsilon)
            self.mlp = MLP(config, shape)
        elif bias["mlp_output"]:
            self.mlp = nn.ModuleDict({"down_proj": Bias(hidden)})

    def forward(self, x, rotation, mask, cache):
        if self.has_heads:
            x = x + self.self_attn(self.input_layernorm(x), rotation, mask, cache)
        elif hasattr(self, "self_attn"):
            x = x + self.self_attn["o_proj"].bias
        if self.has_channels:
            x = x + self.mlp(self.post_attention_layernorm(x))
        elif hasattr(self, "mlp"):
            x = x + self.mlp["down_proj"].bias
        return x


class Decoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        if config.hidden_act not in ("silu", "swish"):
            raise ValueError(f"modeling_espalier.py: expected the activation silu, not {config.hidden_act}")
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        places = [0]
        for shape in config.espalier["blocks"]:
            places.append(places[-1] + (shape["heads"] > 0))
        self.layers = nn.ModuleList([Block(config, i, places[i]) for i in range(config.num_hidden_layers)])
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, embedded, positions, mask=None, cache=None):
        """embedded [batch, tokens, hidden], positions [batch, tokens], mask [batch, all tokens], 0 where there is padding → [batch, tokens, hidden]."""
        angles = positions[:, None, :, None].float() * frequencies(self.config, embedded.device)
        angles = torch.cat((angles, angles), dim=-1)
        rotation = angles.cos().to(embedded.dtype), angles.sin().to(embedded.dtype)
        x = embedded
        for layer in self.layers:
            x = layer(x, rotation, mask, cache)
        return self.norm(x)


def positions_of(embedded, mask, seen):
    """Where the tokens stand that come after seen others [batch, tokens]; padding is not counted."""
    tokens = embedded.shape[1]
    if mask is None:
        return torch.arange(seen, seen + tokens, device=embedded.device).expand(embedded.shape[0], -1)
    return (mask.long().cumsum(-1) - 1).clamp(min=0)[:, -tokens:]


# What transformers wants of a model.

try:
    from transformers import GenerationMixin, PretrainedConfig, PreTrainedModel
    from transformers.cache_utils import DynamicCache
    from transformers.modeling_outputs import CausalLMOutputWithPast
except ImportError:
    PreTrainedModel = None

if PreTrainedModel is not None:

    class EspalierConfig(PretrainedConfig):
        model_type = "espalier"
        keys_to_ignore_at_inference = ["past_key_values"]

        def __init__(self, **kwargs):
            # Version 5 checks scaled positions against fields that it sets only later.
            for name in ("hidden_size", "num_attention_heads", "head_dim", "max_position_embeddings"):
                if name in kwargs:
                    setattr(self, name, kwargs[name])
            super().__init__(**kwargs)

    class EspalierDeciConfig(EspalierConfig):
        """In the layout of DeciLM, which vLLM knows by this name; it reads the fields of block_configs as attributes."""

        model_type = "nemotron-nas"

        def __init__(self, block_configs=None, **kwargs):
            super().__init__(**kwargs)
            if block_configs is not None:
                self.block_configs = [attributes(block) for block in block_configs]

        def to_dict(self):
            plain = copy.copy(self)
            blocks = plain.__dict__.pop("block_configs", None)
            values = PretrainedConfig.to_dict(plain)
            return values if blocks is None else {**values, "block_configs": [fields(block) for block in blocks]}

    def attributes(value):
        return SimpleNamespace(**{name: attributes(each) for name, each in value.items()}) if isinstance(value, dict) else value

    def fields(value):
        return {name: fields(each) for name, each in vars(value).items()} if isinstance(value, SimpleNamespace) else value

    class EspalierForCausalLM(PreTrainedModel, GenerationMixin):
        config_class = EspalierConfig
        base_model_prefix = "model"
        _no_split_modules = ["Block"]
        _supports_sdpa = True
        _supports_cache_class = True
        _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight"}

        def __init__(self, config):
            super().__init__(config)
            self.model = Decoder(config)
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
            self.post_init()

        def get_input_embeddings(self):
            return self.model.embed_tokens

        def set_input_embeddings(self, value):
            self.model.embed_tokens = value

        def get_output_embeddings(self):
            return self.lm_head

        def set_output_embeddings(self, value):
            self.lm_head = value

        def prepare_inputs_for_generation(self, input_ids, past_key_values=None, attention_mask=None, use_cache=None, **kwargs):
            seen = 0 if past_key_values is None else past_key_values.get_seq_length()
            return {
                "input_ids": input_ids[:, seen:],
                "attention_mask": attention_mask,
                "past_key_values": past_key_values,
                "use_cache": use_cache,
            }

        def forward(
            self,
            input_ids=None,
            attention_mask=None,
            position_ids=None,
            past_key_values=None,
            inputs_embeds=None,
            labels=None,
            use_cache=None,
            logits_to_keep=0,
            **kwargs,
        ):
            embedded = self.model.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
            if use_cache is None:
                use_cache = getattr(self.config, "use_cache", True) and not self.training
            if use_cache and past_key_values is None:
                past_key_values = DynamicCache()
            seen = 0 if past_key_values is None else past_key_values.get_seq_length()
            if position_ids is None:
                position_ids = positions_of(embedded, attention_mask, seen)
            x = self.model(embedded, position_ids, attention_mask, past_key_values)
            logits = self.lm_head(x[:, -logits_to_keep:] if logits_to_keep else x)
            loss = None
            if labels is not None:
                loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten().to(logits.device))
            return CausalLMOutputWithPast(loss=loss, logits=logits, past_key_values=past_key_values if use_cache else None)

    class EspalierDeciForCausalLM(EspalierForCausalLM):
        config_class = EspalierDeciConfig
`;
