# SPDX-License-Identifier: Apache-2.0
"""Runs on randomly initialised models, without the network: python -m unittest test_capture"""

import math
import unittest

import torch
import transformers

import capture


def tiny_llama(**changes):
    torch.manual_seed(1)
    shape = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=8, head_dim=16,
                 num_key_value_heads=2, vocab_size=97)
    return transformers.LlamaModel(transformers.LlamaConfig(**(shape | changes)))


def tokens(count, vocabulary=97):
    return torch.randint(vocabulary, (1, count), generator=torch.Generator().manual_seed(2))


class CaptureTest(unittest.TestCase):
    def check_layer_output(self, model, attention, ids, layer):
        """Attention over the captured tensors, put through the layer's projection, is what the layer computed."""
        seen = []
        hook = attention.register_forward_hook(lambda module, inputs, output: seen.append(output[0]))
        tensors, causal = capture.capture(model, ids, [layer])[layer]
        hook.remove()
        o, _ = capture.exact_attention(**tensors, causal=causal)
        mixed = o.transpose(1, 2).reshape(1, ids.shape[1], -1).float()
        projected = attention.o_proj(mixed) if hasattr(attention, "o_proj") else mixed
        # fp32 attention and projection over at most 37 keys and 128 channels: a few hundred roundings of 2^-24.
        torch.testing.assert_close(projected, seen[0], rtol=0, atol=2e-5)
        return tensors, causal

    def test_rotary_grouped_causal_attention_is_captured_as_it_runs(self):
        model = tiny_llama()
        tensors, causal = self.check_layer_output(model, model.layers[1].self_attn, tokens(37), 1)
        self.assertTrue(causal)
        self.assertEqual(list(tensors["q"].shape), [1, 8, 37, 16])
        self.assertEqual(list(tensors["k"].shape), [1, 2, 37, 16])

    def test_bidirectional_attention_is_captured_as_it_runs(self):
        torch.manual_seed(1)
        config = transformers.BertConfig(hidden_size=64, intermediate_size=96, num_hidden_layers=2,
                                         num_attention_heads=4, vocab_size=97)
        model = transformers.BertModel(config)
        _, causal = self.check_layer_output(model, model.encoder.layer[0].attention.self, tokens(29), 0)
        self.assertFalse(causal)

    def test_another_softmax_scale_moves_into_the_queries(self):
        model = tiny_llama()
        for layer in model.layers:
            layer.self_attn.scaling = 0.5
        tensors, _ = self.check_layer_output(model, model.layers[0].self_attn, tokens(11), 0)
        plain, _ = capture.capture(tiny_llama(), tokens(11), [0])[0]
        torch.testing.assert_close(tensors["q"], plain["q"] * 0.5 * math.sqrt(16))

    def test_the_last_queries_attend_as_they_did_in_the_whole(self):
        tensors, causal = capture.capture(tiny_llama(), tokens(20), [2])[2]
        o, lse = capture.exact_attention(**tensors, causal=causal)
        last = capture.rounded(tensors, torch.float32, 3)
        last_o, last_lse = capture.exact_attention(**last, causal=causal)
        torch.testing.assert_close(last_o, o[:, :, -3:])
        torch.testing.assert_close(last_lse, lse[:, :, -3:])

    def test_earlier_queries_are_the_rows_before_the_last(self):
        tensors, _ = capture.capture(tiny_llama(), tokens(20), [2])[2]
        written = capture.rounded(tensors, torch.float32, 3, 5)
        torch.testing.assert_close(torch.cat([written["past_q"], written["q"]], 2), tensors["q"][:, :, -8:])
        self.assertNotIn("past_q", capture.rounded(tensors, torch.float32, 3))
        with self.assertRaisesRegex(capture.CaptureError, "--history 18 ask for more than 20 query rows"):
            capture.rounded(tensors, torch.float32, 3, 18)

    def test_what_is_not_plain_attention_is_refused(self):
        with self.assertRaisesRegex(capture.CaptureError, r"no attention layer \[7\]; the model has 3 layers"):
            capture.capture(tiny_llama(), tokens(5), [0, 7])
        config = transformers.Gemma2Config(hidden_size=64, intermediate_size=96, num_hidden_layers=2, head_dim=16,
                                           num_attention_heads=4, num_key_value_heads=2, vocab_size=97)
        with self.assertRaisesRegex(capture.CaptureError, "layer 0: attention with 'softcap'"):
            capture.capture(transformers.Gemma2Model(config), tokens(5), [0])
        config = transformers.MistralConfig(hidden_size=64, intermediate_size=96, num_hidden_layers=2, head_dim=16,
                                            num_attention_heads=4, num_key_value_heads=2, vocab_size=97,
                                            sliding_window=4)
        with self.assertRaisesRegex(capture.CaptureError, "layer 1: sees a sliding window of 4 keys, not all 9"):
            capture.capture(transformers.MistralModel(config), tokens(9), [1])

    def test_values_beyond_the_type_are_refused(self):
        tensors = {name: torch.full((1, 1, 2, 4), 1e6) for name in "qkv"}
        with self.assertRaisesRegex(capture.CaptureError, "q has values that torch.float16 cannot hold"):
            capture.rounded(tensors, torch.float16, None)


if __name__ == "__main__":
    unittest.main()
