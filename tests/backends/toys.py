"""Tiny models with random weights, written to a folder in the form that real ones have."""

from pathlib import Path

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

CHAT = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
JOINED = ("[1", "][", " [", "].", "12", "[", "]", "[1]", "[0", "[sic]", "a[", "3]", "1][2", "[[")


def toy_tokenizer(chat: str | None = CHAT, extra: tuple[str, ...] = JOINED):
    """Return a byte-level tokenizer: 256 bytes, some awkward joined tokens, three specials."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*alphabet, *(piece.replace(" ", "Ġ") for piece in extra if len(piece) > 1)]
    inner = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    specials = ["<|im_start|>", "<|im_end|>", "<extra_id_1>"]
    inner.add_special_tokens([AddedToken(token, special=True) for token in specials])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", additional_special_tokens=specials
    )
    tokenizer.chat_template = chat
    return tokenizer


def save_toy(folder: Path, chat: str | None = CHAT, window: int = 256) -> Path:
    """Write a tiny random Llama with the toy tokenizer into folder."""
    tokenizer = toy_tokenizer(chat)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=window,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    # Wide weights: a random model of the usual scale would write one token forever.
    config.initializer_range = 1.0
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_t5(folder: Path, window: int = 256) -> Path:
    """Write a tiny random T5, which has no chat template, and whose prompts end in an end token."""
    tokenizer = _closing(toy_tokenizer(None), window)
    torch.manual_seed(0)
    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=4,
        initializer_factor=8.0,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
    )
    transformers.T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_bart(folder: Path, window: int = 256) -> Path:
    """Write a tiny random BART, whose answers begin with a forced token."""
    tokenizer = _closing(toy_tokenizer(None), window)
    torch.manual_seed(0)
    config = transformers.BartConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=window,
        init_std=1.0,
        bos_token_id=tokenizer.convert_tokens_to_ids("<|im_start|>"),
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.convert_tokens_to_ids("<extra_id_1>"),
        decoder_start_token_id=tokenizer.eos_token_id,
        forced_bos_token_id=tokenizer.convert_tokens_to_ids("<|im_start|>"),
        forced_eos_token_id=None,
    )
    transformers.BartForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _closing(tokenizer, window: int):
    """Return the tokenizer made to end every prompt with its end token, as T5's does."""
    end = tokenizer.eos_token
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", special_tokens=[(end, tokenizer.eos_token_id)]
    )
    tokenizer.model_max_length = window
    return tokenizer


def save_cross_encoder(
    folder: Path, labels: tuple[str, ...], order: tuple[int, ...] | None = None, window: int = 64
) -> Path:
    """Write a tiny random BERT for pairs of texts; its outputs are in the order given.

    Args:
        labels: the names of the outputs in their first order.
        order: which of them stands at each place.
        window: tokens that it reads; a byte is a token.
    """
    order = order or tuple(range(len(labels)))
    tokenizer = toy_tokenizer(None, extra=())
    start, end = "<|im_start|>", "<|im_end|>"
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B:1 {end}:1",
        special_tokens=[(t, tokenizer.convert_tokens_to_ids(t)) for t in (start, end)],
    )
    tokenizer.pad_token = "<extra_id_1>"
    tokenizer.model_max_length = window
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=window,
        initializer_range=0.5,
        pad_token_id=tokenizer.pad_token_id,
        id2label={i: labels[place] for i, place in enumerate(order)},
        label2id={labels[place]: i for i, place in enumerate(order)},
    )
    model = transformers.BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.copy_(model.classifier.weight[list(order)].clone())
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_encoder(folder: Path, dim: int) -> Path:
    """Write a tiny random BERT that reads bytes, with the special tokens of XLM-R."""
    inner = toy_tokenizer(None, extra=()).backend_tokenizer
    inner.add_special_tokens([AddedToken(mark, special=True) for mark in ("<s>", "</s>", "<pad>")])
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=inner.get_vocab_size(),
        hidden_size=dim,
        intermediate_size=dim,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=512,
        initializer_range=1.0,
    )
    transformers.BertModel(config).save_pretrained(folder)
    inner.save(str(folder / "tokenizer.json"))
    return folder
