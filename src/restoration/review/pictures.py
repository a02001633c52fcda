"""Pictures for pages, which hold them as data."""

import base64
from typing import Any, cast

import cv2

from restoration.frames import Frame

WEBP_QUALITY = 82


def picture_data(picture: Frame) -> str:
    """*picture* as a data URI, in WebP."""
    _, data = cv2.imencode(".webp", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    return f"data:image/webp;base64,{base64.b64encode(cast(Any, data)).decode()}"


def shrunk(picture: Frame, widest: int) -> Frame:
    """*picture*, at most *widest* pixels wide."""
    height, width = picture.shape[:2]
    if width <= widest:
        return picture
    size = (widest, max(1, round(height * widest / width)))
    return cast(Frame, cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
