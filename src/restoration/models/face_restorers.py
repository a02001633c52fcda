"""Networks that have learned what faces look like, and invent: GFPGAN, RestoreFormer, CodeFormer."""

import warnings
from collections.abc import Mapping

from spandrel.architectures.GFPGAN import GFPGANArch
from spandrel.architectures.RestoreFormer import RestoreFormerArch
from torch import Tensor, nn

FACE_EDGE = 512
"""Pixels along the edges of an aligned face."""
CODEFORMER = "idx_pred_layer.1.weight"
"""A tensor by which a CodeFormer is told from others."""


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


def from_state(state: Mapping[str, Tensor], fidelity: float) -> FaceGenerator | None:
    """The network of an official state dict, loaded strictly, for inference; None for tensors of another kind.

    *fidelity* is CodeFormer's: 0 the finest looking, 1 the most like the source. RuntimeError, KeyError or ValueError
    tell what does not fit.
    """
    tensors, options = dict(state), dict[str, object]()
    if GFPGANArch().detect(tensors):
        network: nn.Module = GFPGANArch().load(tensors).model
        # The noise that was stored with the weights: fresh one would flicker, and no run would be like the other.
        options = {"return_rgb": False, "randomize_noise": False}
    elif CODEFORMER in state:
        with warnings.catch_warnings():
            # Imported by who uses it only: PyTorch warns of it, and its licence is not for everybody.
            warnings.simplefilter("ignore", FutureWarning)
            from spandrel_extra_arches.architectures.CodeFormer import CodeFormerArch
        network, options = CodeFormerArch().load(tensors).model, {"weight": fidelity}
    elif RestoreFormerArch().detect(tensors):
        network = RestoreFormerArch().load(tensors).model
    else:
        return None
    return FaceGenerator(network, **options).requires_grad_(False).float().eval()
