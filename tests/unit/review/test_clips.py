"""Source and result in one video: each frame with its own counterpart, at its time, with the sound."""

from fractions import Fraction

import numpy as np
import pytest

from media_factory import Tone, decoded, pictures, sound_packets, video_times, wishes, write_clip
from restoration.errors import RestorationError
from restoration.media.codecs import EncodeSettings
from restoration.media.encode import encode
from restoration.media.probe import probe
from restoration.review.clips import PERIOD, border, write_clip as write_review
from restoration.review.comparison import LINE_HEIGHT
