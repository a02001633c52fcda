"""Loads converted weights into their network, after proving that they are what was converted."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError
from torch import Tensor, nn

from restoration.errors import RestorationError
from restoration.models import (
    colorizer,
    ddcolor,
    deoldify,
    face_restorers,
    mtcnn,
    old_photos,
    parsenet,
    retinaface,
    scratch_finder,
    sface,
    waifu2x,
    yunet,
)
from restoration.models.detector import FaceDetector
from restoration.models.face_restorers import FaceGenerator
from restoration.models.sface import SFace


@dataclass(frozen=True, eq=False)
class Upscaling:
    """A network of super-resolution: RGB (n, 3, h, w) in [0, 1] to (n, 3, h·scale, w·scale).

    *multiple* is what h and w must be divisible by, *minimum* what they must at least be; tiles must begin at multiples
    of *step* to be like the whole.
    """

    network: nn.Module
    scale: int
    multiple: int = 1
    step: int = 1
    minimum: int = 1

    def about(self) -> dict[str, int]:
        """Everything but the network."""
        return {name: getattr(self, name) for name in ("scale", "multiple", "step", "minimum")}


def load(path: Path, source_sha256: str, others: Mapping[tuple[Path, str], float] | None = None) -> Upscaling:
    """Return the network in *path* (written by `convert`): float32, on the CPU, in eval mode, without gradients.

    *source_sha256* is the registry's hash of the file that was converted. Of *others*, siblings of the same shape, the
    given share of their weights is taken, and the rest of its own (deep network interpolation, Wang et al. 2018).
    Raises RestorationError when the file was made from another one, when a single bit of its tensors changed, or when
    its network is unknown.
    """
    state = read(path, source_sha256)
    for (other, sha256), share in (others or {}).items():
        sibling = read(other, sha256)
        if {name: t.shape for name, t in state.items()} != {name: t.shape for name, t in sibling.items()}:
            raise RestorationError(f"{other} cannot be mixed with {path}: its network has another shape")
        state = {name: torch.lerp(tensor, sibling[name], share) for name, tensor in state.items()}
    return build(state, str(path))


def load_colorizer(path: Path, source_sha256: str) -> nn.Module:
    """The same for a network that gives gray pictures colour."""
    return build_colorizer(read(path, source_sha256), str(path))


def load_detector(path: Path, source_sha256: str) -> FaceDetector:
    """The same for a network that finds faces."""
    return build_detector(read(path, source_sha256), str(path))


def load_face_restorer(path: Path, source_sha256: str, *, fidelity: float) -> FaceGenerator | Upscaling:
    """The same for a network that restores aligned faces, or enlarges any picture; *fidelity* is CodeFormer's."""
    return build_face_restorer(read(path, source_sha256), str(path), fidelity=fidelity)


def load_parser(path: Path, source_sha256: str) -> nn.Module:
    """The same for a network that tells the parts of aligned faces apart."""
    return build_parser(read(path, source_sha256), str(path))


def load_recogniser(path: Path, source_sha256: str) -> SFace:
    """The same for a network that tells people apart by their aligned faces."""
    return build_recogniser(read(path, source_sha256), str(path))


def load_photographs(
    mapping: tuple[Path, str], encoder: tuple[Path, str], decoder: tuple[Path, str]
) -> old_photos.Photographs:
    """The same for what retouches photographs: a mapping between halves of two autoencoders, each with its hash."""
    parts = [build_autoencoder(read(*half), str(half[0])) for half in (encoder, decoder)]
    return old_photos.Photographs(build_mapping(read(*mapping), str(mapping[0])), *parts).eval()


def load_finder(path: Path, source_sha256: str, short_side: int) -> scratch_finder.ScratchFinder:
    """The same for a network that finds scratches, in pictures with so many pixels along their *short_side*."""
    return build_finder(read(path, source_sha256), str(path), short_side)


def read(path: Path, source_sha256: str) -> dict[str, Tensor]:
    """The proved tensors in *path*."""
    remedy = "delete it; `snakemake weights` makes it anew"
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except FileNotFoundError:
        raise RestorationError(f"{path}: no such file; `snakemake weights` makes it") from None
    except (SafetensorError, UnicodeDecodeError) as error:
        raise RestorationError(f"{path} is damaged ({error}); {remedy}") from error
    for key, expected in {"source_sha256": source_sha256, "content_sha256": content_sha256(state)}.items():
        if metadata.get(key) != expected:
            raise RestorationError(f"{path}: {key} is {metadata.get(key)}, expected {expected}; {remedy}")
    return state


def build_colorizer(state: Mapping[str, Tensor], origin: str) -> nn.Module:
    """Return the colorizer that the tensors of *state* belong to, every one of them used; *origin* is for messages."""
    try:
        if "layers.3.0.0.weight" in state:
            return deoldify.from_state(state)
        if "refine_net.0.0.weight_orig" in state:
            return ddcolor.from_state(state)
        return colorizer.FrameColorizer(colorizer.from_state(state)).eval()
    except (RuntimeError, KeyError, ValueError) as error:
        raise RestorationError(f"{origin}: the tensors fit no colorizer: {error}") from error


def build_detector(state: Mapping[str, Tensor], origin: str) -> FaceDetector:
    """Return the face detector that the tensors of *state* belong to, every one of them used; *origin* is for
    messages."""
    try:
        if "onnx" in state:
            return yunet.from_state(state)
        if "onet.conv1.weight" in state:
            return mtcnn.from_state(state)
        return retinaface.from_state(state)
    except RuntimeError as error:
        raise RestorationError(f"{origin}: the tensors fit no face detector: {error}") from error


def build_face_restorer(
    state: Mapping[str, Tensor], origin: str, *, fidelity: float = 0.5
) -> FaceGenerator | Upscaling:
    """Return the face restorer, or the super-resolution network, that the tensors of *state* belong to."""
    try:
        network = face_restorers.from_state(state, fidelity)
    except (RuntimeError, KeyError, ValueError) as error:
        raise RestorationError(f"{origin}: the tensors do not fit their network: {error}") from error
    return network or build(state, origin)


def build_parser(state: Mapping[str, Tensor], origin: str) -> nn.Module:
    """Return the face parser that the tensors of *state* belong to, every one of them used."""
    try:
        return parsenet.from_state(state)
    except RuntimeError as error:
        raise RestorationError(f"{origin}: the tensors fit no face parser: {error}") from error


def build_recogniser(state: Mapping[str, Tensor], origin: str) -> SFace:
    """Return the face recogniser that the tensors of *state* belong to."""
    try:
        return sface.from_state(state)
    except RuntimeError as error:
        raise RestorationError(f"{origin}: the tensors fit no face recogniser: {error}") from error


def build_mapping(state: Mapping[str, Tensor], origin: str) -> old_photos.Retouching:
    """Return the mapping between features of photographs that the tensors of *state* belong to, every one of them
    used."""
    try:
        return old_photos.mapping_from_state(state)
    except RuntimeError as error:
        raise RestorationError(f"{origin}: the tensors fit no network that retouches: {error}") from error


def build_autoencoder(state: Mapping[str, Tensor], origin: str) -> old_photos.Autoencoder:
    """Return the autoencoder of photographs that the tensors of *state* belong to, every one of them used."""
    try:
        return old_photos.autoencoder_from_state(state)
    except RuntimeError as error:
        raise RestorationError(f"{origin}: the tensors fit no autoencoder of photographs: {error}") from error


def build_finder(state: Mapping[str, Tensor], origin: str, short_side: int = 256) -> scratch_finder.ScratchFinder:
    """Return the finder of scratches that the tensors of *state* belong to, every one of them used."""
    try:
        return scratch_finder.from_state(state, short_side)
    except RuntimeError as error:
        raise RestorationError(f"{origin}: the tensors fit no finder of scratches: {error}") from error


def build(state: Mapping[str, Tensor], origin: str) -> Upscaling:
    """Return the network that the tensors of *state* belong to, every one of them used; *origin* is for messages."""
    try:
        if own := waifu2x.from_state(state):
            return Upscaling(own, own.scale, step=own.step)
        model = ModelLoader().load_from_state_dict(dict(state))
    except UnsupportedModelError as error:
        raise RestorationError(f"{origin}: spandrel knows no network with these tensors") from error
    except (RuntimeError, KeyError, ValueError) as error:
        raise RestorationError(f"{origin}: the tensors do not fit their network: {error}") from error
    if not isinstance(model, ImageModelDescriptor):
        raise RestorationError(f"{origin}: {model.architecture.name} does not turn one image into one image")
    # spandrel loads strictly, but for ESRGAN it renames first and drops the names that it does not know.
    used = len(model.model.state_dict())
    if model.architecture.id == "ESRGAN" and used != len(state):
        raise RestorationError(f"{origin}: {len(state)} tensors, of which ESRGAN uses {used}")
    needs, step = model.size_requirements, 1
    multiple, minimum = needs.multiple_of, needs.minimum if needs.minimum > needs.multiple_of else 1
    if model.architecture.id == "ESRGAN":
        # RRDB nets of scale 1 and 2 begin with a pixel-unshuffle to a quarter or half of the size; spandrel asks for
        # 4 in both cases, RealESRGANer pads to 2 for scale 2: other borders, other pixels.
        multiple, minimum = max(1, 4 // model.scale), 1
    if model.architecture.id == "RealCUGAN":
        step = 4 if model.scale == 3 else 2  # of its halvings, which happen after a threefold enlargement, too
    return Upscaling(model.model.requires_grad_(False).float().eval(), model.scale, multiple, step, minimum)


def content_sha256(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over name, shape, dtype and bytes of all tensors, sorted by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
