"""Writes small ONNX files: the few protobuf fields that it takes (github.com/onnx/onnx, `onnx.proto`)."""

import numpy as np

INTS, TENSOR_FLOAT = 7, 1


def field(number: int, value: int | str | bytes) -> bytes:
    """One protobuf field: a varint, or bytes with their length before them."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    low, high = value & 127, value >> 7
    return bytes([low | 128]) + varint(high) if high else bytes([low])


def tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(field(1, length) for length in values.shape)
    return dims + field(2, TENSOR_FLOAT) + field(8, name) + field(9, values.astype("<f4").tobytes())


def node(kind: str, inputs: list[str], output: str, **attributes: list[int]) -> bytes:
    """An operator; attributes are lists of whole numbers."""
    body = b"".join(field(1, name) for name in inputs) + field(2, output) + field(3, output) + field(4, kind)
    for name, numbers in attributes.items():
        values = b"".join(field(8, number) for number in numbers)
        body += field(5, field(1, name) + values + field(20, INTS))
    return body


def port(name: str, shape: list[int | str]) -> bytes:
    """An input or output of the graph; a length may have a name instead of a number."""
    lengths = b"".join(field(1, field(1 if isinstance(length, int) else 2, length)) for length in shape)
    return field(1, name) + field(2, field(1, field(1, TENSOR_FLOAT) + field(2, lengths)))


def model(nodes: list[bytes], tensors: list[bytes], inputs: list[bytes], outputs: list[bytes]) -> bytes:
    parts = {1: nodes, 2: [b"test"], 5: tensors, 11: inputs, 12: outputs}
    graph = b"".join(field(number, part) for number, several in parts.items() for part in several)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def spot_finder() -> bytes:
    """A file like YuNet's that takes red squares of 16 pixels for faces: their score is how red they are. Such a face
    is 32 wide and 48 high about the middle of its square; its landmarks step down from the square's corner."""
    nodes, tensors, outputs = [], [], []
    for stride in (8, 16, 32):
        for what, count in {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}.items():
            name, weights, bias = f"{what}_{stride}", np.zeros((count, 3, stride, stride)), np.zeros(count)
            if stride == 16:
                match what:
                    case "bbox":
                        bias[:] = 0.5, 0.5, np.log(2), np.log(3)
                    case "kps":
                        bias[:] = np.arange(10) / 10
                    case _:
                        weights[0, 2] = 1 / 255 / stride**2  # red is the last channel of OpenCV's
            tensors += [tensor(f"{name}_weights", weights), tensor(f"{name}_bias", bias)]
            inputs = ["input", f"{name}_weights", f"{name}_bias"]
            nodes.append(node("Conv", inputs, f"{name}_maps", kernel_shape=[stride] * 2, strides=[stride] * 2))
            nodes.append(node("Transpose", [f"{name}_maps"], name, perm=[0, 2, 3, 1]))
            outputs.append(port(name, [1, f"{name}_height", f"{name}_width", count]))
    return model(nodes, tensors, [port("input", [1, 3, "height", "width"])], outputs)
