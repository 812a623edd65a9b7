#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Captures Q, K and V of chosen layers of a Hugging Face model on a text, as attnscope's workload `file`.

Each layer gives one safetensors file: q [1, Hq, Nq, D], k and v [1, Hkv, N, D], as they enter attention: after rotary
embedding, KV heads not repeated, metadata with the mask and where everything came from. The model runs unchanged: its
own attention function is wrapped, so any model that uses the attention interface of transformers can be captured.
"""

import argparse
import datetime
import hashlib
import json
import math
import pathlib
import sys

import safetensors.torch
import torch
import transformers
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

VERSION = "1"
IMPLEMENTATION = "attnscope_capture"
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
# What makes attention something else than softmax(scale · Q Kᵀ) V: capped logits, learned sinks, position biases.
FOREIGN_TERMS = ("softcap", "s_aux", "position_bias")


class CaptureError(Exception):
    """The user asked for something that cannot be captured; one line."""


class Recorder:
    """An attention function that keeps the inputs of chosen layers and leaves the work to `sdpa`."""

    def __init__(self, layers):
        self.wanted = set(layers)
        self.captured = {}  # layer -> (tensors, causal)

    def __call__(self, module, query, key, value, attention_mask, scaling=None, **kwargs):
        layer = getattr(module, "layer_idx", None)
        if layer in self.wanted:
            self.captured[layer] = self._inputs(module, layer, query, key, value, scaling, kwargs)
        return ALL_ATTENTION_FUNCTIONS["sdpa"](module, query, key, value, attention_mask, scaling=scaling, **kwargs)

    @staticmethod
    def _inputs(module, layer, query, key, value, scaling, kwargs):
        for term in FOREIGN_TERMS:
            if kwargs.get(term) is not None:
                raise CaptureError(f"layer {layer}: attention with '{term}' is not softmax(scale QK^T) V")
        window = kwargs.get("sliding_window")
        if window is not None and window < key.shape[2]:
            raise CaptureError(f"layer {layer}: sees a sliding window of {window} keys, not all {key.shape[2]}")
        if value.shape != key.shape:
            raise CaptureError(f"layer {layer}: k {list(key.shape)} and v {list(value.shape)} differ in shape")
        causal = kwargs.get("is_causal")
        causal = bool(getattr(module, "is_causal", True) if causal is None else causal)
        # attnscope scales by 1/sqrt(D); a model that scales otherwise gets the ratio into its queries.
        if scaling is not None:
            query = query * (scaling * math.sqrt(query.shape[3]))
        return {"q": query, "k": key, "v": value}, causal


def capture(model, input_ids, layers):
    """Runs `model` once on `input_ids` [1, N]; returns {layer: ({"q", "k", "v"}, causal)}."""
    recorder = Recorder(layers)
    ALL_ATTENTION_FUNCTIONS.register(IMPLEMENTATION, recorder)
    ALL_MASK_ATTENTION_FUNCTIONS.register(IMPLEMENTATION, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    model.set_attn_implementation(IMPLEMENTATION)
    with torch.no_grad():
        model.eval()(input_ids)
    missing = sorted(recorder.wanted - recorder.captured.keys())
    if missing:
        raise CaptureError(f"no attention layer {missing}; the model has {model.config.num_hidden_layers} layers")
    return recorder.captured


def exact_attention(q, k, v, causal):
    """O and LSE (natural log) in double, head by head; Q stands at the end of the keys."""
    group = q.shape[1] // k.shape[1]
    rows, keys = q.shape[2], k.shape[2]
    hidden = torch.ones(rows, keys, dtype=torch.bool).triu(keys - rows + 1) if causal else None
    o, lse = torch.empty(q.shape, dtype=torch.float64), torch.empty(q.shape[:3], dtype=torch.float64)
    for head in range(q.shape[1]):
        logits = q[0, head].double() @ k[0, head // group].double().T / math.sqrt(q.shape[3])
        if hidden is not None:
            logits.masked_fill_(hidden, -math.inf)
        lse[0, head] = logits.logsumexp(-1)
        o[0, head] = (logits - lse[0, head, :, None]).exp() @ v[0, head // group].double()
    return o, lse


def rounded(tensors, dtype, queries, history=0):
    """The tensors as they are written, in `dtype`: the last `queries` query rows and the `history` rows before them."""
    rows = tensors["q"].shape[2]
    first = 0 if queries is None else rows - queries
    if not 0 <= history <= first < rows:
        raise CaptureError(f"--queries {queries} and --history {history} ask for more than {rows} query rows")
    result = {"q": tensors["q"][:, :, first:], "k": tensors["k"], "v": tensors["v"]}
    if history > 0:
        result["past_q"] = tensors["q"][:, :, first - history : first]
    result = {name: tensor.to(dtype).contiguous() for name, tensor in result.items()}
    for name, tensor in result.items():
        if not torch.isfinite(tensor).all():
            raise CaptureError(f"{name} has values that {dtype} cannot hold; choose another --dtype")
    return result


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def model_provenance(arguments, model):
    """Names the weights: by commit where the hub knows it, by checksum where they are local files."""
    provenance = {"model": arguments.model_name or arguments.model, "architecture": type(model).__name__}
    commit = getattr(model.config, "_commit_hash", None)
    if commit:
        provenance["model_commit"] = commit
    weights = sorted(pathlib.Path(arguments.model).glob("*.safetensors"))
    if weights:
        provenance["weights_sha256"] = {path.name: sha256(path) for path in weights}
    return provenance


def load_tokens(arguments):
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model, revision=arguments.revision)
    text = pathlib.Path(arguments.text).read_text(encoding="utf-8")
    ids = tokenizer(text, return_tensors="pt", truncation=False, verbose=False)["input_ids"]
    if ids.shape[1] < arguments.tokens:
        raise CaptureError(f"{arguments.text}: has {ids.shape[1]} tokens, --tokens asks for {arguments.tokens}")
    return ids[:, : arguments.tokens]


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="Hugging Face id or a directory")
    parser.add_argument("--revision", help="commit or tag of the model on the hub")
    parser.add_argument("--model-name", help="what the provenance calls the model, when --model is a directory")
    parser.add_argument("--text", required=True, help="UTF-8 file; its first --tokens tokens are the input")
    parser.add_argument("--text-name", help="what the provenance calls the text")
    parser.add_argument("--tokens", type=int, required=True, help="context length")
    parser.add_argument("--layers", required=True, help="comma-separated layer numbers, from 0")
    parser.add_argument("--queries", type=int, help="keep only the last so many query rows; 1 makes a decode problem")
    parser.add_argument("--history", type=int, default=0,
                        help="with --queries: also write so many query rows before those, as past_q")
    parser.add_argument("--dtype", choices=DTYPES, default="bf16", help="of the file (the model runs in its own)")
    parser.add_argument("--with-output", action="store_true", help="also write o and lse, computed in double")
    parser.add_argument("-o", "--output", required=True, help="prefix of the files: PREFIX_layerN.safetensors")
    return parser.parse_args(argv)


def main(argv=None):
    arguments = parse_arguments(argv)
    layers = [int(layer) for layer in arguments.layers.split(",")]
    model = transformers.AutoModel.from_pretrained(arguments.model, revision=arguments.revision)
    provenance = {
        **model_provenance(arguments, model),
        "text": arguments.text_name or pathlib.Path(arguments.text).name,
        "text_sha256": sha256(arguments.text),
        "tokens": arguments.tokens,
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "script": f"capture.py {VERSION}",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    for layer, (tensors, causal) in capture(model, load_tokens(arguments), layers).items():
        written = rounded(tensors, DTYPES[arguments.dtype], arguments.queries, arguments.history)
        if arguments.with_output:
            o, lse = exact_attention(written["q"], written["k"], written["v"], causal)
            written |= {"o": o.to(DTYPES[arguments.dtype]), "lse": lse.float()}
        path = f"{arguments.output}_layer{layer}.safetensors"
        metadata = {"causal": str(causal).lower(), "provenance": json.dumps(provenance | {"layer": layer})}
        safetensors.torch.save_file(written, path, metadata)
        print(path, {name: list(tensor.shape) for name, tensor in written.items()})


if __name__ == "__main__":
    try:
        main()
    except (CaptureError, OSError) as error:
        sys.exit(f"capture.py: {error}")
