"""Old photographs retouched: scratches found and filled, fading, noise and blur taken back ("Bringing Old Photos Back
to Life", Wan et al. 2020, arXiv:2004.09484).

What its authors do to photographs before and after, and would flicker on film, is left out: no picture's contrast is
stretched to its own extremes, and none is resized to fit the networks.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.engines.engine import Engine, Network
from restoration.engines.start import Weights, start
from restoration.engines.torch_network import TorchNetwork, choose_device
from restoration.errors import RestorationError
from restoration.frames import Frame, Frames, Picture
from restoration.models.load import load_finder, load_photographs


class Retoucher:
    """Stage: retouch frames with the mapping *model* between the *encoder* of one autoencoder and the *decoder* of
    another, each a converted safetensors file with the hash of its source.

    Where the mapping takes a mask, *detector* finds the scratches: what it gives *min_score* or more, in pictures with
    *detect_at* pixels along their short side, 0 for their own size. *strength* blends the result (1) with the frame
    (0). *tile* is the longest edge of a tile in pixels, 0 for whole frames; *overlap* the context around each tile.
    *precision* is fp32, bf16 or fp16, scratches are found in fp32; *device* auto, cpu, cuda or mps.

    The networks normalise by what they see, so a tile has a contrast of its own: memory must not decide on tiles.
    """

    takes_all = False

    def __init__(
        self,
        model: Weights,
        encoder: Weights,
        decoder: Weights,
        detector: Weights | None = None,
        *,
        min_score: float = 0.4,
        detect_at: int = 256,
        strength: float = 1,
        tile: int = 0,
        overlap: int = 64,
        precision: str = "fp32",
        device: str = "cpu",
    ) -> None:
        network = load_photographs(model, encoder, decoder)
        mapping = network.mapping
        if mapping.takes_mask and detector is None:
            raise RestorationError(f"{model[0]} fills scratches: retouch.detector must name what finds them")
        if detector and not mapping.takes_mask:
            raise RestorationError(f"{model[0]} knows nothing of scratches: retouch.detector must be left out")
        self.finder: Engine | None = None
        if detector:
            # OpenVINO takes pictures of three channels only.
            chosen = choose_device(device)
            self.finder = Engine(TorchNetwork(load_finder(*detector, detect_at), precision="fp32", device=chosen))
            started: Network = TorchNetwork(network, precision=precision, device=chosen)
        else:
            started = start(network, precision=precision, device=device)
        self.engine = Engine(started, multiple=mapping.multiple, minimum=network.minimum, tile=tile, overlap=overlap)
        self.min_score, self.dilation, self.strength = min_score, mapping.dilation, strength

    def process(self, frames: Frames, *, exact: bool = False) -> NDArray[np.uint8]:
        """Retouch uint8 RGB (n, h, w, 3) to uint8 (n, h, w, 4), RGB and a mask: how much of each pixel is painted where
        there was a scratch, 0 to 255."""
        masks = self._masks(frames, exact=exact)
        seen = np.concatenate([frames, masks], axis=3) if self.finder else frames
        restored = cast(Frames, self.engine(seen, exact=exact))
        if self.strength < 1:
            pairs = zip(restored, frames, strict=True)
            restored = np.stack([cv2.addWeighted(new, self.strength, old, 1 - self.strength, 0) for new, old in pairs])
        return np.concatenate([restored, np.rint(masks * self.strength).astype(np.uint8)], axis=3)

    def shrink(self, height: int, width: int) -> bool:
        """Raise RestorationError: other tiles would give this frame another look than those before."""
        tile = (self.engine.tile or max(height, width)) // 2
        raise RestorationError(
            f"one frame of {width}x{height} does not fit into memory. Free memory, run fewer jobs at once (--cores), "
            f"or set retouch.tile: {tile} for the whole video, whose tiles may show"
        )

    def _masks(self, frames: Frames, *, exact: bool) -> NDArray[np.uint8]:
        """Where *frames* are scratched: 255, else 0, (n, h, w, 1)."""
        if self.finder is None:
            return np.zeros((*frames.shape[:3], 1), np.uint8)
        gray = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])[..., None]
        scores = self.finder.values(gray.astype(np.float32) / 127.5 - 1, exact=exact)
        masks = (scores[..., 0] >= self.min_score).astype(np.uint8) * np.uint8(255)
        widened = [cv2.dilate(mask, np.ones((3, 3)), iterations=self.dilation) for mask in masks]
        return cast(NDArray[np.uint8], np.stack(widened)[..., None])


def told_apart(pictures: Iterable[Picture], gray: Sequence[bool]) -> Iterator[tuple[Frame, Frame]]:
    """Each of the *pictures* that a `Retoucher` gives as two frames: itself, and its mask in green.

    Those that had no colour, as *gray* tells, have none: what the networks took for it is left to the stage that
    colorizes.
    """
    for picture, lacks in zip(pictures, gray, strict=True):
        frame = cast(Frame, np.ascontiguousarray(picture[..., :3]))
        if lacks:
            frame = cast(Frame, cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))
        mask = np.zeros_like(frame)
        mask[..., 1] = picture[..., 3]
        yield frame, mask
