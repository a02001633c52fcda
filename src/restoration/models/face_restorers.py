"""Networks that have learned what faces look like, and invent: GFPGAN, RestoreFormer, CodeFormer, SPADE."""

import warnings
from collections.abc import Mapping

from spandrel.architectures.GFPGAN import GFPGANArch
from spandrel.architectures.RestoreFormer import RestoreFormer, RestoreFormerArch
from spandrel.architectures.RestoreFormer.__arch.restoreformer_arch import MultiHeadDecoderTransformer
from torch import Tensor, nn

from restoration.models import spade

FACE_EDGE = 512
"""Pixels along the edges of an aligned face."""
CODEFORMER = "idx_pred_layer.1.weight"
PLUS_PLUS = "decoder.up.4.attn.0.q.weight"
"""Tensors by which these two are told from others."""


class FaceGenerator(nn.Module):
    """One of them behind one contract: aligned faces, float RGB (n, 3, 512, 512) in [0, 1], to the same.

    *options* are what the network's call needs beside the picture.
    """

    def __init__(self, network: nn.Module, **options: object) -> None:
        super().__init__()
        self.network, self.options = network, options

    def forward(self, faces: Tensor) -> Tensor:
        """See above."""
        # GFPGAN looks at its features in the plain order of dimensions.
        return (self.network((faces * 2 - 1).contiguous(), **self.options)[0] + 1) / 2


class RestoreFormerPlusPlus(RestoreFormer):  # type: ignore[misc]
    """RestoreFormer with four heads and a decoder that attends to the encoder at 32x32, too.

    After github.com/wzhouxiff/RestoreFormerPlusPlus, `vqvae_arch.py` (Apache-2.0).
    """

    def __init__(self) -> None:
        super().__init__(head_size=4)
        self.decoder: nn.Module = MultiHeadDecoderTransformer(
            ch=64,
            out_ch=3,
            ch_mult=(1, 2, 2, 4, 4, 8),
            attn_resolutions=(16, 32),
            resolution=FACE_EDGE,
            z_channels=256,
            head_size=4,
        )

    def decode(self, quant: Tensor, hs: dict[str, Tensor]) -> Tensor:
        """The picture (n, 3, 512, 512) of codes (n, 256, 16, 16) and the encoder's features *hs*."""
        return super().decode(quant, hs | {"block_4_atten": hs["block_4"]})


def from_state(state: Mapping[str, Tensor], fidelity: float) -> FaceGenerator | None:
    """The network of an official state dict, loaded strictly, for inference; None for tensors of another kind.

    *fidelity* is CodeFormer's: 0 the finest looking, 1 the most like the source. RuntimeError, KeyError or ValueError
    tell what does not fit.
    """
    tensors, options = dict(state), dict[str, object]()
    if spade.OWN in state:
        network: nn.Module = spade.from_state(tensors)
    elif GFPGANArch().detect(tensors):
        network = GFPGANArch().load(tensors).model
        # The noise that was stored with the weights: fresh one would flicker, and no run would be like the other.
        options = {"return_rgb": False, "randomize_noise": False}
    elif CODEFORMER in state:
        with warnings.catch_warnings():
            # Imported by who uses it only: PyTorch warns of it, and its licence is not for everybody.
            warnings.simplefilter("ignore", FutureWarning)
            from spandrel_extra_arches.architectures.CodeFormer import CodeFormerArch
        network, options = CodeFormerArch().load(tensors).model, {"weight": fidelity}
    elif PLUS_PLUS in state:
        network = RestoreFormerPlusPlus()
        network.load_state_dict(tensors, strict=True)
    elif RestoreFormerArch().detect(tensors):
        network = RestoreFormerArch().load(tensors).model
    else:
        return None
    return FaceGenerator(network, **options).requires_grad_(False).float().eval()
