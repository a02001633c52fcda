"""Train the embedded colorizer on a folder of photos.

    python training/colorizer/train.py PHOTOS RUN --encoder mobilenet_v2-b0353104.pth --epochs 80

RUN is a folder; it gets checkpoint.pt every few minutes and at the end colorizer.safetensors (16 bits). --resume goes
on from the checkpoint, with the very samples that an uninterrupted run would have seen. See README.md beside this file.
"""

import argparse
import hashlib
import logging
import math
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from photos import VALIDATION, Batch, Image, lightness_gray, make_batch, read_photos, rgb_to_chroma
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from restoration.models.colorizer import COLOURS, GRID_EDGE, GRID_REACH, GRID_STEP, Colorizer, shrink

logger = logging.getLogger("train")

FROZEN = 7
"""Encoder blocks that keep ImageNet's weights: down to 1/8 of the size. They cost the most and know enough."""
REBALANCING = 0.5
"""Exponent of a colour's rarity in its weight: 0 counts all pixels alike (brown), 1 all colours alike (garish)."""
UNIFORM = 0.3
"""Share of the uniform distribution mixed into the colours' frequencies, as in Zhang et al. 2016."""
AVERAGING = 0.998
"""Share of the averaged weights that a step keeps."""
TEMPERATURES = (1.4, 1.0, 0.7, 0.5, 0.38)
FAVOURS = (-0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
"""Exponents of REBALANCING's weights by which likelihoods are multiplied in the end."""
COLOURFULNESS = 0.85
"""Share of the true chroma that results have on average, at least: the setting with the least error that reaches it is
taken. All of it would make mistakes loud."""
ENCODER_SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
"""Of torchvision's mobilenet_v2-b0353104.pth."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder of colour JPEGs, shorter edge about 256 pixels")
    parser.add_argument("run", type=Path, help="folder for checkpoint and weights")
    parser.add_argument("--encoder", type=Path, required=True, help="torchvision's mobilenet_v2-b0353104.pth")
    parser.add_argument("--epochs", type=float, default=80)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="wall clock; ends sooner, not reproducible")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=160, help="pixels along an edge of a training crop")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate; the encoder's is a tenth of it")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    arguments.run.mkdir(parents=True, exist_ok=True)
    Training(arguments).run()


class Training:
    """One run: network, optimiser, averaged weights and how far they have come."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        torch.manual_seed(arguments.seed)
        self.photos = list(read_photos(arguments.photos, "training").values())
        self.steps = round(arguments.epochs * len(self.photos) / arguments.batch)
        self.step, self.seconds = 0, 0.0
        self.network = Colorizer().to(memory_format=torch.channels_last)
        load_encoder(self.network.encoder, arguments.encoder)
        self.network.encoder[:FROZEN].requires_grad_(False)
        self.weights = colour_weights(self.photos)
        encoder = [parameter for parameter in self.network.encoder.parameters() if parameter.requires_grad]
        known = {id(parameter) for parameter in self.network.encoder.parameters()}
        decoder = [parameter for parameter in self.network.parameters() if id(parameter) not in known]
        self.optimizer = torch.optim.AdamW(
            [{"params": decoder, "peak": arguments.rate}, {"params": encoder, "peak": arguments.rate / 10}],
            weight_decay=0.02,
        )
        average = get_ema_multi_avg_fn(AVERAGING)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True)
        self.checkpoint = arguments.run / "checkpoint.pt"
        if arguments.resume:
            self._restore()

    def run(self) -> None:
        logger.info("%d photos, %d steps", len(self.photos), self.steps)
        validation = read_photos(self.arguments.photos, VALIDATION)
        started, before = time.monotonic(), self.seconds
        saved = self.seconds
        losses: deque[float] = deque(maxlen=100)
        with ThreadPoolExecutor(1) as pool:
            upcoming = pool.submit(self._batch, self.step)
            while self.progress() < 1:
                batch, upcoming = upcoming.result(), pool.submit(self._batch, self.step + 1)
                losses.append(self._learn(batch))
                self.step += 1
                self.seconds = before + time.monotonic() - started
                if self.step % 50 == 0:
                    logger.info("step %d, %.1f %%, loss %.4f", self.step, 100 * self.progress(), np.mean(losses))
                if self.seconds - saved > 240:
                    saved = self.seconds
                    self._save()
                    logger.info("%s", judge(self.averaged(), score(self.averaged(), validation)))
        self._save()
        network = self.averaged()
        logger.info("%s after %.0f s", calibrate(network, validation, self.weights), self.seconds)
        export(network, self.arguments.run / "colorizer.safetensors")

    def progress(self) -> float:
        """Share of the run that is done, by steps or by time, whichever ends first."""
        return max(self.step / self.steps, self.seconds / (60 * self.arguments.minutes))

    def averaged(self) -> Colorizer:
        network = self.average.module
        assert isinstance(network, Colorizer)
        return network.eval()

    def _batch(self, step: int) -> Batch:
        """The samples of a step: a function of seed and step alone. Every epoch has every photo once."""
        positions = range(step * self.arguments.batch, (step + 1) * self.arguments.batch)
        indices = [self._order(position // len(self.photos))[position % len(self.photos)] for position in positions]
        rng = np.random.default_rng((self.arguments.seed, step))
        return make_batch([self.photos[index] for index in indices], self.arguments.size, rng)

    def _order(self, epoch: int) -> list[int]:
        return np.random.default_rng((self.arguments.seed, epoch, 0)).permutation(len(self.photos)).tolist()

    def _learn(self, batch: Batch) -> float:
        """One step of the optimiser; the loss."""
        progress = self.progress()
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * min(1, (progress + 1e-4) / 0.02) * (1 + math.cos(math.pi * progress)) / 2
        self.network.train()
        # ImageNet's statistics are better than those of a few crops.
        self.network.encoder.eval()
        torch.manual_seed(self.arguments.seed + self.step)  # for dropout, also after --resume
        gray = torch.from_numpy(batch.gray).to(memory_format=torch.channels_last)
        loss = colour_loss(self.network.logits(gray), torch.from_numpy(batch.chroma), self.weights)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        return loss.item()

    def _save(self) -> None:
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        temporary = self.checkpoint.with_suffix(".partial")
        torch.save(parts | {"step": self.step, "seconds": self.seconds}, temporary)
        temporary.replace(self.checkpoint)

    def _restore(self) -> None:
        parts = torch.load(self.checkpoint, weights_only=True)
        for name in ("network", "average", "optimizer"):
            getattr(self, name).load_state_dict(parts[name])
        self.step, self.seconds = parts["step"], parts["seconds"]


def load_encoder(encoder: nn.Sequential, path: Path) -> None:
    """Give *encoder* the weights of torchvision's MobileNetV2 (the classifier is not used)."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 != ENCODER_SHA256:
        raise SystemExit(f"{path} has SHA-256 {sha256}, expected {ENCODER_SHA256}")
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = {name.removeprefix("features."): tensor for name, tensor in state.items() if name.startswith("features.")}
    # Gray is red = green = blue, so the filters of the three channels add up.
    state["0.0.weight"] = state["0.0.weight"].sum(1, keepdim=True)
    encoder.load_state_dict(state)


def colour_weights(photos: list[Image]) -> Tensor:
    """How much each colour counts, (COLOURS,): rare ones more; 1 on average over the photos' pixels."""
    frequency = torch.zeros(COLOURS)
    for photo in photos:
        chroma = torch.from_numpy(rgb_to_chroma(photo)[:, ::4, ::4].clip(-GRID_REACH, GRID_REACH)[None])
        indices, shares = neighbours(chroma)
        frequency.index_add_(0, indices.flatten(), shares.flatten())
    frequency /= frequency.sum()
    # A few hundred photos leave gaps between neighbouring colours, which a blur over the grid closes.
    kernel = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([1.0, 2, 1])) / 16
    smooth = functional.conv2d(frequency.view(1, 1, GRID_EDGE, GRID_EDGE), kernel[None, None], padding=1).flatten()
    weights = ((1 - UNIFORM) * smooth + UNIFORM / COLOURS) ** -REBALANCING
    return weights / (weights * frequency).sum()


def neighbours(chroma: Tensor) -> tuple[Tensor, Tensor]:
    """The four colours of the grid around each of *chroma* (n, 2, h, w), and their shares, whose mean it is.

    Both are (n, 4, h, w).
    """
    position = (chroma + GRID_REACH) / GRID_STEP
    corner = position.floor().clamp(0, GRID_EDGE - 2)
    a, b = (position - corner).unbind(1)
    row, column = corner.long().unbind(1)
    first = row * GRID_EDGE + column
    indices = torch.stack([first, first + 1, first + GRID_EDGE, first + GRID_EDGE + 1], 1)
    return indices, torch.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], 1)


def colour_loss(logits: Tensor, chroma: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of logits (n, COLOURS, h, w) with the colours around *chroma* (n, 2, h, w), weighted by colour."""
    indices, shares = neighbours(chroma)
    likelihood = functional.log_softmax(logits, 1).gather(1, indices)
    return -(weights[indices] * shares * likelihood).sum(1).mean()


class Validation(NamedTuple):
    """All in CIELAB units."""

    error: float
    """Root mean square distance of the chroma from the true one."""
    chroma: float
    true_chroma: float


@torch.inference_mode()
def score(network: Colorizer, photos: dict[str, Image]) -> list[tuple[Tensor, Tensor]]:
    """Of each photo the logits (1, COLOURS, h/4, w/4) at the working size, and the true chroma (1, 2, h/4, w/4)."""
    scored = []
    for photo in photos.values():
        logits = network.logits(shrink(torch.from_numpy(lightness_gray(photo))[None, None]))
        chroma = torch.from_numpy(np.ascontiguousarray(rgb_to_chroma(photo)))[None]
        scored.append((logits, functional.interpolate(chroma, logits.shape[2:], mode="area")))
    return scored


def judge(network: Colorizer, scored: list[tuple[Tensor, Tensor]], bias: Tensor | float = 0.0) -> Validation:
    """How right the network's temperature and gain make the logits, after *bias* (COLOURS, 1, 1) is added to them."""
    pairs = [(network.chroma(logits + bias), truth) for logits, truth in scored]
    return Validation(
        error=float(np.mean([(ours - truth).square().sum(1).mean() for ours, truth in pairs])) ** 0.5,
        chroma=float(np.mean([ours.norm(dim=1).mean() for ours, _ in pairs])),
        true_chroma=float(np.mean([truth.norm(dim=1).mean() for _, truth in pairs])),
    )


def calibrate(network: Colorizer, photos: dict[str, Image], weights: Tensor) -> Validation:
    """Set temperature, gain and how much rare colours are favoured, as COLOURFULNESS says."""
    scored, rarity = score(network, photos), weights.log()[:, None, None]
    settings = []
    for temperature, favour in product(TEMPERATURES, FAVOURS):
        network.temperature.fill_(temperature)
        network.gain.fill_(1)
        plain = judge(network, scored, favour * rarity)
        network.gain.fill_(max(1.0, COLOURFULNESS * plain.true_chroma / plain.chroma))
        settings.append((judge(network, scored, favour * rarity), temperature, favour, network.gain.item()))
    best, temperature, favour, gain = min(settings)
    network.temperature.fill_(temperature)
    network.gain.fill_(gain)
    output = network.head[-1]
    assert isinstance(output, nn.Conv2d) and output.bias is not None
    output.bias.data += favour * rarity.flatten()
    logger.info("temperature %.2f, rare colours favoured by %.2f, gain %.2f", temperature, favour, gain)
    return best


def export(network: Colorizer, path: Path) -> None:
    """Write the weights as 16-bit safetensors."""
    state = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in network.state_dict().items()
    }
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)


if __name__ == "__main__":
    main()
