"""Faces followed through their shot: what belongs together, where it is between detections, calm along time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restoration.faces.detect import Face

SAME_FACE = 0.3
"""Overlap (intersection over union) from which faces of different frames may be the same one."""
FEWEST = 3
"""Frames in which a face must be found: less is a blunder of the detector, except where a shot has fewer frames."""
FADE = 5
"""Frames over which a face that is found, or lost, within a shot comes and goes: it must not pop."""
REACH = 3
"""Deviations of the Gaussian that are looked at on either side."""
KEEP = ("all", "largest", "centre")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """One face of one shot, from frame *first* of the video on without a gap.

    By frame: *boxes* (x0, y0, x1, y1) and *landmarks* (5, 2), calmed, in pixels of the frames that were looked at;
    *scores* of the detector, None where it found nothing and the place is interpolated. *jitter* is how much the
    landmarks shake, as found and calmed: see `jitter`. *fades*: whether it comes, and goes, within its shot.
    """

    shot: int
    first: int
    boxes: list[list[float]]
    landmarks: list[list[list[float]]]
    scores: list[float | None]
    jitter: tuple[float, float]
    fades: tuple[bool, bool] = (False, False)

    @property
    def last(self) -> int:
        """Its last frame."""
        return self.first + len(self.boxes) - 1

    def box(self, number: int) -> list[float]:
        """Where it is in frame *number*."""
        return self.boxes[number - self.first]

    def marks(self, number: int) -> NDArray[np.float32]:
        """Its landmarks (5, 2) in frame *number*."""
        return np.array(self.landmarks[number - self.first], np.float32)

    def presence(self, number: int) -> float:
        """How much of it there is in frame *number*, 0 to 1: it comes and goes over FADE frames, but for cuts."""
        comes, goes = self.fades
        steps = [number - self.first + 1] * comes + [self.last - number + 1] * goes
        return min([1.0, *(step / (FADE + 1) for step in steps)])

    def is_in(self, number: int) -> bool:
        """Whether it is in frame *number*."""
        return self.first <= number <= self.last


def follow(
    found: dict[int, list[Face]], shots: Sequence[tuple[int, int]], *, gap: int, smoothing: float
) -> list[Track]:
    """The tracks of all faces *found*, by frame, in *shots* (first and last frame each).

    A face that is lost for up to *gap* frames is interpolated. *smoothing* is the deviation, in frames, of the Gaussian
    that landmarks and boxes are calmed by.
    """
    return [
        _track(shot, (first, last), seen, smoothing)
        for shot, (first, last) in enumerate(shots)
        for seen in _linked(found, first, last, gap)
        if len(seen) >= min(FEWEST, last - first + 1)
    ]


def _linked(found: dict[int, list[Face]], first: int, last: int, gap: int) -> list[dict[int, Face]]:
    """Faces of one shot that are the same, by frame: those that overlap most go together first."""
    tracks: list[dict[int, Face]] = []
    for number in range(first, last + 1):
        open_ones = [track for track in tracks if number - max(track) <= gap + 1]
        faces = found.get(number, [])
        pairs = [(overlap(track[max(track)].box, face.box), t, f)
                 for t, track in enumerate(open_ones) for f, face in enumerate(faces)]  # fmt: skip
        taken_tracks, taken_faces = set[int](), set[int]()
        for share, t, f in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
            if share >= SAME_FACE and t not in taken_tracks and f not in taken_faces:
                open_ones[t][number] = faces[f]
                taken_tracks.add(t)
                taken_faces.add(f)
        tracks += [{number: face} for f, face in enumerate(faces) if f not in taken_faces]
    return tracks


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared) if areas > shared else 0.0


def _track(shot: int, frames: tuple[int, int], seen: dict[int, Face], smoothing: float) -> Track:
    known = sorted(seen)
    numbers = np.arange(known[0], known[-1] + 1)

    def whole(values: Array) -> Array:
        flat = values.reshape(len(known), -1)
        return np.stack([np.interp(numbers, known, column) for column in flat.T], axis=1)

    landmarks = whole(np.stack([seen[number].landmarks for number in known]).astype(np.float64))
    boxes = whole(np.array([seen[number].box for number in known]))
    calm = calmed(landmarks, smoothing)
    return Track(
        shot=shot,
        first=known[0],
        boxes=calmed(boxes, smoothing).round(2).tolist(),
        landmarks=calm.reshape(-1, 5, 2).round(3).tolist(),
        scores=[round(seen[number].score, 4) if number in seen else None for number in numbers.tolist()],
        jitter=(jitter(landmarks), jitter(calm)),
        fades=(known[0] > frames[0], known[-1] < frames[1]),
    )


def calmed(values: Array, deviation: float) -> Array:
    """*values* (n, k), each replaced by that of a straight line through its neighbours along n, weighted by a Gaussian.

    A mean would be late at both ends of a pan.
    """
    if deviation <= 0:
        return values
    reach = round(REACH * deviation)
    offsets = np.arange(-reach, reach + 1)
    places = np.arange(len(values))[:, None] + offsets
    weights = np.exp(-((offsets / deviation) ** 2) / 2) * ((places >= 0) & (places < len(values)))
    near = values[places.clip(0, len(values) - 1)]
    zeroth, first, second = (weights @ offsets.astype(np.float64) ** power for power in range(3))
    mean, slope = (np.einsum("nd,ndk->nk", weights * offsets.astype(np.float64) ** power, near) for power in (0, 1))
    spread = zeroth * second - first**2
    fitted = (second[:, None] * mean - first[:, None] * slope) / np.where(spread > 1e-9, spread, 1)[:, None]
    return np.where(spread[:, None] > 1e-9, fitted, mean / zeroth[:, None])


def jitter(values: Array) -> float:
    """How much *values* (n, k) shake along n: the root mean square of their second differences, in pixels."""
    if len(values) < 3:
        return 0.0
    return round(float(np.sqrt(np.mean(np.diff(values, 2, axis=0) ** 2))), 4)


def chosen(
    tracks: Iterable[Track],
    size: tuple[int, int],
    *,
    keep: str = "all",
    eye_distance: float = 0,
    max_size: float = float("inf"),
    ignore: Sequence[Sequence[float]] = (),
    points: Sequence[Sequence[float]] = (),
) -> list[Track]:
    """Those of *tracks*, in pictures of *size* (width, height), that are to be restored.

    *keep* all, or what in most of its frames is the largest, or the nearest to the centre, of all faces there. The eyes
    must be *eye_distance* pixels apart, and the box at most *max_size* high, in the median. Faces whose centres are
    mostly in one of the regions *ignore* (x0, y0, x1, y1) are left out; with *points* (frame, x, y), all that are on
    none of them.
    """
    wanted = [
        track
        for track in tracks
        if _eye_distance(track) >= eye_distance
        and np.median([box[3] - box[1] for box in track.boxes]) <= max_size
        and not any(_mostly(_is_within(_centre(box), region) for box in track.boxes) for region in ignore)
        and (not points or any(track.is_in(int(n)) and _is_within((x, y), track.box(int(n))) for n, x, y in points))
    ]
    if keep == "all":
        return wanted

    def rank(track: Track, number: int) -> float:
        box = track.box(number)
        if keep == "largest":
            return -(box[2] - box[0]) * (box[3] - box[1])
        x, y = _centre(box)
        return (x - size[0] / 2) ** 2 + (y - size[1] / 2) ** 2

    def is_first(track: Track, number: int) -> bool:
        return rank(track, number) == min(rank(other, number) for other in wanted if other.is_in(number))

    return [track for track in wanted if _mostly(is_first(track, n) for n in range(track.first, track.last + 1))]


def _mostly(truths: Iterable[bool]) -> bool:
    return bool(np.mean(list(truths)) > 0.5)


def _eye_distance(track: Track) -> float:
    landmarks = np.array(track.landmarks)
    return float(np.median(np.linalg.norm(landmarks[:, 0] - landmarks[:, 1], axis=-1)))


def _centre(box: Sequence[float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _is_within(place: tuple[float, float], box: Sequence[float]) -> bool:
    return box[0] <= place[0] <= box[2] and box[1] <= place[1] <= box[3]
