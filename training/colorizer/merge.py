"""Average checkpoints of a training run, calibrate the result on the validation photos and export it.

    python training/colorizer/merge.py PHOTOS colorizer.safetensors CHECKPOINT CHECKPOINT...

Checkpoints far apart make different mistakes; their mean makes fewer than either (Wortsman et al. 2022, "Model soups").
"""

import argparse
import logging
from pathlib import Path

import torch
from photos import VALIDATION, read_photos
from torch import Tensor
from train import calibrate, colour_weights, export

from restoration.models.colorizer import Colorizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("checkpoints", type=Path, nargs="+", help="copies of train.py's checkpoint.pt")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    states = [averaged_weights(path) for path in arguments.checkpoints]
    network = Colorizer().eval()
    network.load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    weights = colour_weights(list(read_photos(arguments.photos, "training").values()))
    print(calibrate(network, read_photos(arguments.photos, VALIDATION), weights))
    export(network, arguments.output)


def averaged_weights(checkpoint: Path) -> dict[str, Tensor]:
    state = torch.load(checkpoint, weights_only=True)["average"]
    return {name.removeprefix("module."): tensor for name, tensor in state.items() if name.startswith("module.")}


if __name__ == "__main__":
    main()
