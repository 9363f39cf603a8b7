"""Trains the reader: low-rank changes of multilingual-e5-small, and a head for spans.

The loss is the mean cross-entropy of the answer's first and last token among those of the passage
and token 0, which is right where the passage does not answer (Devlin et al. 2019, section 4.3). The
base stays as it is; `--rank` r gives each matrix of attention and feed-forward r inputs and outputs
of change (Hu et al. 2022). Examples are drawn with a seed from what `training.reader_data` wrote.

    python -m training.reader --fold 0 --out build/reader-fold0.safetensors
    python -m training.reader --out rag/models/adapters/reader.safetensors
"""

import argparse
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# Before torch comes in: idle threads sleep, which counts on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from rag.backends.span_reader import PairTokenizer, load_encoder, padded
from rag.models import prompts, resolve, weights_hash
from rag.models.registry import E5_SMALL
from rag.spanning import Window
from training.reader_data import Example, Text, load

FOLDS = 4
# Matrices that change, of each layer.
CHANGED = ("query", "key", "value", "dense")
# How often a pair of languages (asked, written) is drawn.
OFTEN = {("en", "en"): 1.6, ("zh", "zh"): 1.6, ("ru", "ru"): 1.6, ("de", "de"): 1.6}
ACROSS, ELSEWHERE = 0.6, 0.5
# And what of an example.
FORMS = {"found": 0.42, "missed": 0.26, "paragraph": 0.12, "other": 0.04, "one": 0.16}
USUAL = 4
IGNORED = -1e4
SCALE = 2.0
RISE = 0.1
# The head begins from nothing, so it learns faster.
HEAD_RATE = 5.0


@dataclass(frozen=True, slots=True)
class Item:
    """A window and the places of the answer's first and last token in it; 0 and 0 without one."""

    window: Window
    first: int
    last: int


class Changed(nn.Module):
    """A linear map whose matrix W stays, with scale · up · down added to it."""

    def __init__(self, linear: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.down = nn.Parameter(torch.empty(rank, linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
        self.scale = scale
        nn.init.normal_(self.down, std=linear.in_features**-0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (..., outputs)."""
        change = functional.linear(functional.linear(inputs, self.down), self.up)
        return torch.add(self.linear(inputs), change, alpha=self.scale)


class Learner(nn.Module):
    """The encoder, its layers from `first` on with changes, and the head."""

    def __init__(self, encoder: Any, rank: int, first: int) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        for layer in encoder.encoder.layer[first:]:
            for name, module in list(layer.named_modules()):
                parent, _, child = name.rpartition(".")
                if isinstance(module, nn.Linear) and child in CHANGED:
                    setattr(layer.get_submodule(parent), child, Changed(module, rank, SCALE))
        self.span = nn.Linear(encoder.config.hidden_size, 2)
        nn.init.normal_(self.span.weight, std=0.02)
        nn.init.zeros_(self.span.bias)

    def forward(self, ids: Tensor, mask: Tensor, readable: Tensor) -> Tensor:
        """Return (n, 2, t), the scores of tokens; those that are not readable count for nothing."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        scores = self.span(hidden).transpose(1, 2)
        return scores.masked_fill(~readable[:, None, :], IGNORED)

    def learnt(self) -> dict[str, Tensor]:
        """Return what to save, under the names of the untouched encoder."""
        tensors = {f"span.{n}": p.detach() for n, p in self.span.named_parameters()}
        for name, module in self.encoder.named_modules():
            if isinstance(module, Changed):
                tensors[f"{name}.down"] = module.down.detach()
                tensors[f"{name}.up"] = module.up.detach()
        return {name: tensor.half().contiguous() for name, tensor in tensors.items()}


def main() -> None:
    """Draw, train, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/reader.jsonl"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fold", type=int, help="leave out every fourth article from this one")
    parser.add_argument("--examples", type=int, default=12_000)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--first-layer", type=int, default=4, help="the lowest that changes")
    parser.add_argument("--rate", type=float, default=4e-4, help="highest learning rate")
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--minutes", type=float, default=45, help="the rate falls to zero by then")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    drawn = random.Random(options.seed)
    folder = resolve(E5_SMALL.name)
    tokenizer = PairTokenizer(folder, prompts(E5_SMALL.name, folder)[0])
    known = [e for e in load(options.data) if options.fold is None or not held(e, options.fold)]
    batches = batched(list(draw(known, options.examples, tokenizer, drawn)), options, drawn)
    # Without dropout: it takes a fourth of the time, and the languages vary the questions enough.
    learner = Learner(load_encoder(folder), options.rank, options.first_layer).eval()
    train(learner, batches, options, tokenizer.marks.pad)
    told = {"base": E5_SMALL.name, "weights": weights_hash(folder), "scale": str(SCALE)}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(learner.learnt(), options.out, metadata=told)


def held(example: Example, fold: int) -> bool:
    """Tell whether an example's article is held out in a fold."""
    return example.article % FOLDS == fold


def draw(
    known: Sequence[Example], count: int, tokenizer: PairTokenizer, drawn: random.Random
) -> Iterator[Item]:
    """Yield count examples, as windows with their labels.

    A text is left out where it has the answer's words at another place than the annotated one:
    whether these answer is not known.
    """
    weights = [_often(example) for example in known]
    made = 0
    while made < count:
        for example in drawn.choices(known, weights, k=count - made):
            form = drawn.choices(list(FORMS), list(FORMS.values()))[0]
            text = _assembled(example, form, drawn)
            if text.holds or example.answer.casefold() not in text.text.casefold():
                yield _item(tokenizer, example.question, text, drawn)
                made += 1


def _often(example: Example) -> float:
    pair = (example.asked, example.written)
    return OFTEN.get(pair, ELSEWHERE if example.asked == example.written else ACROSS)


def _assembled(example: Example, form: str, drawn: random.Random) -> Text:
    if form == "paragraph":
        return example.paragraph
    if form == "other":
        return example.other
    if form == "one":
        return drawn.choice(example.found[:USUAL])
    most = USUAL if drawn.random() < 0.5 else drawn.randint(2, 3)
    texts = (example.found if form == "found" else example.missed)[:most]
    # As they are found, the best comes first; without this the model would go by that alone.
    if drawn.random() < 0.5:
        drawn.shuffle(texts)
    return joined(texts)


def joined(texts: Sequence[Text]) -> Text:
    """Return texts as one, a line each; the answer is where the one has it that holds it."""
    place, whole = 0, Text("\n".join(text.text for text in texts))
    for text in texts:
        if text.holds:
            return replace(whole, start=place + text.start, end=place + text.end)
        place += len(text.text) + 1
    return whole


def _item(tokenizer: PairTokenizer, question: str, text: Text, drawn: random.Random) -> Item:
    """Return a window of a text: one with the whole answer, if there is any."""
    windows = tokenizer.windows(question, [text.text])[0]
    if text.holds:
        found = [_labelled(window, text) for window in windows]
        if whole := [item for item in found if item.first]:
            return drawn.choice(whole)
    return Item(drawn.choice(windows), 0, 0)


def _labelled(window: Window, text: Text) -> Item:
    if window.offsets[0][0] > text.start or window.offsets[-1][1] < text.end:
        return Item(window, 0, 0)
    inside = [
        window.first + i
        for i, (start, end) in enumerate(window.offsets)
        if start < text.end and text.start < end
    ]
    return Item(window, inside[0], inside[-1])


def batched(items: Sequence[Item], options: Any, drawn: random.Random) -> list[list[Item]]:
    """Return items in batches of like length, padding counted, in random order."""
    batches: list[list[Item]] = []
    for item in sorted(items, key=lambda item: len(item.window.ids)):
        full = not batches or (len(batches[-1]) + 1) * len(item.window.ids) > options.batch_tokens
        batches.append([item]) if full else batches[-1].append(item)
    drawn.shuffle(batches)
    return batches


def train(learner: Learner, batches: Sequence[Sequence[Item]], options: Any, pad: int) -> None:
    """Train in place: AdamW, a rise over the first tenth of the steps, then a linear fall to zero.

    The fall is by steps or by the clock, whichever is further: a busy machine ends in time.
    """
    parameters = [p for p in learner.parameters() if p.requires_grad]
    changes = [p for p in learner.encoder.parameters() if p.requires_grad]
    groups = [
        {"params": changes, "share": 1.0},
        {"params": list(learner.span.parameters()), "share": HEAD_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=0.01)
    losses: list[float] = []
    tokens, began = 0, time.monotonic()
    for step, batch in enumerate(batches):
        spent = time.monotonic() - began
        done = max(step / len(batches), spent / 60 / options.minutes)
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = (
                group["share"] * options.rate * min((step + 1) / (RISE * len(batches)), 1 - done)
            )
        loss = _loss(learner, batch, pad)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        tokens += len(batch) * max(len(item.window.ids) for item in batch)
        if (step + 1) % 20 == 0:
            told = f"loss {np.mean(losses[-20:]):.3f}  {spent:.0f} s  {tokens / spent:.0f} tokens/s"
            print(f"step {step + 1}/{len(batches)}  {told}", flush=True)
    print(f"{len(losses)} steps, {tokens} tokens, {time.monotonic() - began:.0f} s", flush=True)


def _loss(learner: Learner, batch: Sequence[Item], pad: int) -> Tensor:
    ids, mask = padded([item.window.ids for item in batch], pad)
    readable = np.zeros(ids.shape, np.bool_)
    readable[:, 0] = True
    for row, item in enumerate(batch):
        readable[row, item.window.first : len(item.window.ids) - 1] = True
    scores = learner(torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(readable))
    firsts = torch.tensor([item.first for item in batch])
    lasts = torch.tensor([item.last for item in batch])
    start = functional.cross_entropy(scores[:, 0], firsts)
    return (start + functional.cross_entropy(scores[:, 1], lasts)) / 2


if __name__ == "__main__":
    main()
