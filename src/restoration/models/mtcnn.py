"""MTCNN (Zhang et al. 2016, arXiv:1604.02878): three small networks, each of which looks closer at fewer places.

After github.com/timesler/facenet-pytorch (MIT), `models/mtcnn.py` and `utils/detect_face.py`. Names of parameters are
the original ones behind `pnet.`, `rnet.` and `onet.`. Pixels are counted as there: boxes from 1, landmarks from 0.
Faces are the same but at the border of the picture: see `cropped`.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import nms

from restoration.frames import Frame
from restoration.models.detector import FaceDetector, Found, nothing

CELL, STRIDE = 12, 2
"""P-Net looks at squares of 12 pixels, one every 2 pixels."""
FACTOR = 0.709
"""From one size of the picture to the next that P-Net sees: half the area."""
PROPOSED, REFINED = 0.6, 0.7
"""Scores that P-Net and R-Net must give for a place to be looked at again."""
BATCH = 512
"""Most crops that a network sees at once, to bound its memory."""


class Net(nn.Module):
    """Layers in a row, named as in the original, and heads that all take what comes out of the last."""

    def __init__(self, trunk: Mapping[str, nn.Module], heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name, layer in {**trunk, **heads}.items():
            self.add_module(name, layer)
        self.trunk, self.heads = tuple(trunk), tuple(heads)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Float RGB (n, 3, h, w) in [0, 255] to each head's output; the first head is the logits of (no face, face)."""
        x = (x - 127.5) / 128
        for name in self.trunk:
            x = self.get_submodule(name)(x)
        return tuple(self.get_submodule(name)(x) for name in self.heads)


class Transposed(nn.Module):
    """Flattens as the original's Caffe did: columns first, channels last."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) to (n, w·h·c)."""
        return x.permute(0, 3, 2, 1).flatten(1)


def pool(size: int) -> nn.Module:
    """Maxima of squares two pixels apart; incomplete squares at the border count."""
    return nn.MaxPool2d(size, 2, ceil_mode=True)


def proposal_net() -> Net:
    """P-Net, which needs no crops: it runs over a whole picture."""
    return Net(
        {
            "conv1": nn.Conv2d(3, 10, 3),
            "prelu1": nn.PReLU(10),
            "pool1": pool(2),
            "conv2": nn.Conv2d(10, 16, 3),
            "prelu2": nn.PReLU(16),
            "conv3": nn.Conv2d(16, 32, 3),
            "prelu3": nn.PReLU(32),
        },
        {"conv4_1": nn.Conv2d(32, 2, 1), "conv4_2": nn.Conv2d(32, 4, 1)},
    )


def refinement_net() -> Net:
    """R-Net, for crops of 24x24."""
    return Net(
        {
            "conv1": nn.Conv2d(3, 28, 3),
            "prelu1": nn.PReLU(28),
            "pool1": pool(3),
            "conv2": nn.Conv2d(28, 48, 3),
            "prelu2": nn.PReLU(48),
            "pool2": pool(3),
            "conv3": nn.Conv2d(48, 64, 2),
            "prelu3": nn.PReLU(64),
            "flat": Transposed(),
            "dense4": nn.Linear(576, 128),
            "prelu4": nn.PReLU(128),
        },
        {"dense5_1": nn.Linear(128, 2), "dense5_2": nn.Linear(128, 4)},
    )


def output_net() -> Net:
    """O-Net, for crops of 48x48; its third head are the landmarks: five x, then five y."""
    return Net(
        {
            "conv1": nn.Conv2d(3, 32, 3),
            "prelu1": nn.PReLU(32),
            "pool1": pool(3),
            "conv2": nn.Conv2d(32, 64, 3),
            "prelu2": nn.PReLU(64),
            "pool2": pool(3),
            "conv3": nn.Conv2d(64, 64, 3),
            "prelu3": nn.PReLU(64),
            "pool3": pool(2),
            "conv4": nn.Conv2d(64, 128, 2),
            "prelu4": nn.PReLU(128),
            "flat": Transposed(),
            "dense5": nn.Linear(1152, 256),
            "prelu5": nn.PReLU(256),
        },
        {"dense6_1": nn.Linear(256, 2), "dense6_2": nn.Linear(256, 4), "dense6_3": nn.Linear(256, 10)},
    )


class MTCNN(FaceDetector):
    """The cascade: P-Net proposes places, R-Net refines and rejects, O-Net decides and finds the landmarks."""

    def __init__(self) -> None:
        super().__init__()
        self.pnet, self.rnet, self.onet = proposal_net(), refinement_net(), output_net()

    def find(self, frame: Frame, *, min_score: float, min_size: float) -> Found:
        """See `FaceDetector`. No face under 12 pixels is found; the larger *min_size*, the faster. The original's
        last threshold is min_score=0.7."""
        device = next(self.parameters()).device
        picture = torch.from_numpy(frame).to(device).permute(2, 0, 1)[None].float()
        boxes = self._refined(picture, self._proposed(picture, max(min_size, CELL)))
        boxes, crops = cropped(picture, boxes, 48)
        if not len(boxes):
            return nothing()
        logits, shifts, marks = in_batches(self.onet, crops)
        scores = torch.softmax(logits, dim=1)[:, 1]
        certain = scores > min_score
        boxes, scores = boxes[certain], scores[certain]
        edges = boxes[:, 2:] - boxes[:, :2] + 1
        marks = marks[certain].view(-1, 2, 5).transpose(1, 2)
        landmarks = boxes[:, None, :2] + marks * edges[:, None] - 1
        boxes = shifted(boxes, shifts[certain], edges)
        kept = distinct(boxes, scores)
        return Found(boxes[kept], scores[kept], landmarks[kept])

    def _proposed(self, picture: Tensor, min_size: float) -> Tensor:
        """Squares (m, 4) where P-Net sees faces of at least *min_size* pixels, up to the size of the picture."""
        height, width = picture.shape[2:]
        found, scores, scale = list[Tensor](), list[Tensor](), CELL / min_size
        while min(height, width) * scale >= CELL:
            small = resized(picture, int(height * scale + 1), int(width * scale + 1))
            logits, shifts = self.pnet(small)
            probabilities = torch.softmax(logits, dim=1)[0, 1]
            places = (probabilities >= PROPOSED).nonzero()
            at = places.unbind(1)
            corners = (places.flip(1) * STRIDE + 1).float()
            boxes = torch.cat([corners / scale, (corners + CELL - 1) / scale], dim=1).floor()
            kept = nms(boxes, probabilities[at], 0.5)
            found.append(torch.cat([boxes, shifts[0, :, at[0], at[1]].T], dim=1)[kept])
            scores.append(probabilities[at][kept])
            scale *= FACTOR
        if not found:
            return picture.new_zeros(0, 4)
        kept = nms(torch.cat(found)[:, :4], torch.cat(scores), 0.7)
        boxes, shifts = torch.cat(found)[kept].chunk(2, dim=1)
        return squared(shifted(boxes, shifts, boxes[:, 2:] - boxes[:, :2]))

    def _refined(self, picture: Tensor, boxes: Tensor) -> Tensor:
        """The squares (m, 4) that are left of *boxes* after R-Net has looked at them."""
        boxes, crops = cropped(picture, boxes, 24)
        if not len(boxes):
            return boxes
        logits, shifts = in_batches(self.rnet, crops)
        scores = torch.softmax(logits, dim=1)[:, 1]
        certain = scores > REFINED
        boxes, shifts = boxes[certain], shifts[certain]
        kept = nms(boxes, scores[certain], 0.7)
        boxes, shifts = boxes[kept], shifts[kept]
        return squared(shifted(boxes, shifts, boxes[:, 2:] - boxes[:, :2] + 1))


def resized(pictures: Tensor, height: int, width: int) -> Tensor:
    """(n, 3, h, w) to another size; pixels are the means of the areas that they cover."""
    return functional.interpolate(pictures, (height, width), mode="area")


def cropped(picture: Tensor, boxes: Tensor, edge: int) -> tuple[Tensor, Tensor]:
    """The *boxes* that touch *picture* (1, 3, h, w), and what they show of it as (m, 3, edge, edge).

    Beyond the picture all is black, as for the paper's authors. facenet-pytorch stretches what is inside to the whole
    crop, which puts the landmarks of faces at the border up to half a face away from where they are.
    """
    height, width = picture.shape[2:]
    kept, crops = list[int](), list[Tensor]()
    for index, (left, top, right, bottom) in enumerate(boxes.int().tolist()):
        inside = picture[:, :, max(top - 1, 0) : max(bottom, 0), max(left - 1, 0) : max(right, 0)]
        if inside.numel():
            beyond = [max(past, 0) for past in (1 - left, right - width, 1 - top, bottom - height)]
            kept.append(index)
            crops.append(resized(functional.pad(inside, beyond), edge, edge))
    return boxes[kept], torch.cat(crops) if crops else picture.new_zeros(0, 3, edge, edge)


def in_batches(net: Net, crops: Tensor) -> tuple[Tensor, ...]:
    """What *net*'s heads say of *crops* (m, 3, h, w), m > 0."""
    return tuple(torch.cat(parts) for parts in zip(*map(net, torch.split(crops, BATCH)), strict=True))


def shifted(boxes: Tensor, shifts: Tensor, edges: Tensor) -> Tensor:
    """Boxes (m, 4) with each corner moved by a network's *shifts* (m, 4), which are fractions of *edges* (m, 2)."""
    return boxes + shifts * edges.repeat(1, 2)


def squared(boxes: Tensor) -> Tensor:
    """The squares around the centres of *boxes* (m, 4) as large as their longer edges."""
    edges = boxes[:, 2:] - boxes[:, :2]
    longer = edges.amax(dim=1, keepdim=True)
    corners = boxes[:, :2] + edges * 0.5 - longer * 0.5
    return torch.cat([corners, corners + longer], dim=1)


def distinct(boxes: Tensor, scores: Tensor, most: float = 0.7) -> Tensor:
    """Indices of *boxes* (m, 4), highest score first, without those of which a share over *most* of the smaller one's
    area is also covered by one before: a face inside a face goes, whatever their sizes."""
    low, high = boxes[:, :2], boxes[:, 2:]
    shared = torch.minimum(high[:, None], high) - torch.maximum(low[:, None], low) + 1
    area = (high - low + 1).prod(dim=1)
    covered = shared.clamp(min=0).prod(dim=2) / torch.minimum(area[:, None], area) > most
    kept = list[int]()
    for index in scores.argsort(descending=True, stable=True).tolist():
        if not covered[index, kept].any():
            kept.append(index)
    return torch.tensor(kept, dtype=torch.long, device=boxes.device)


def from_state(state: Mapping[str, Tensor]) -> MTCNN:
    """The cascade of *state*, loaded strictly; RuntimeError names what does not fit."""
    network = MTCNN()
    network.load_state_dict(dict(state), strict=True)
    return network.eval().requires_grad_(False)
