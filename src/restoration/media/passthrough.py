"""Everything in a file but the picture: sound, subtitles, attachments, chapters, metadata go into the result untouched.

Where the container of the result forbids that, a stream is converted without loss if there is a way, else dropped; the
ledger says which and why.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import av
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

logger = logging.getLogger(__name__)

TEXT_SUBTITLES = {"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"}
OWN_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}
"""Tags that describe the old file rather than the work."""
JUMP = Fraction(1, 4)
"""Seconds back by which time must go to be a jump; packets of some codecs are out of order by less."""
FINE = Fraction(1, 10000)
"""Seconds to which the sound's place against the picture is kept in an excerpt."""
TICK = Fraction(1, 1000)
"""Seconds by which packets of Matroska miss their place."""
SILENCE = {"pcm_u8": 0x80, "pcm_alaw": 0xD5, "pcm_mulaw": 0xFF}
EXPERIMENTAL = {"mp4": {"truehd", "mlp"}, "mov": {"truehd", "mlp"}}
"""What FFmpeg lists for a container and then refuses to write into it."""
SIXTEEN_BITS = {"u8", "u8p", "s16", "s16p"}


@dataclass(frozen=True)
class Entry:
    """What became of one stream of the source: restored, copied, converted or dropped, and why."""

    stream: int
    type: str
    codec: str | None
    fate: str
    reason: str = ""


class StreamClock:
    """Lets the time of one stream go on after each jump back, by as much as the picture's went on at its *jumps*."""

    def __init__(self, jumps: list[Fraction]) -> None:
        self.jumps = iter(jumps)
        self.offset = Fraction(0)
        self.last: Fraction | None = None
        self.overlapping = 0

    def continued(self, packet: Packet) -> bool:
        """Set *packet* forward; False if even so it is not later than the one before, and has to be left out."""
        said = packet.dts if packet.dts is not None else packet.pts
        if said is None:
            return True
        if self.last is not None and said * packet.time_base + self.offset < self.last - JUMP:
            # Without a jump of the picture, right after the packet before.
            self.offset += next(self.jumps, self.last - said * packet.time_base - self.offset)
        jumped = bool(self.offset)
        if jumped:
            shift = round(self.offset / packet.time_base)
            packet.pts = packet.pts if packet.pts is None else packet.pts + shift
            packet.dts = packet.dts if packet.dts is None else packet.dts + shift
            said += shift
        time = said * packet.time_base
        if jumped and self.last is not None and time <= self.last:
            self.overlapping += 1
            return False
        self.last = time if self.last is None else max(self.last, time)
        return True


def named(layout: AudioLayout) -> AudioLayout:
    """*layout*, or the usual one of as many channels where a file (AVI, MXF) only counts them."""
    return AudioLayout(f"{layout.nb_channels}c") if layout.name == f"{layout.nb_channels} channels" else layout


class Passthrough:
    """Adds to *output* all that *container* holds beside the *picture* stream. Times are moved to begin at *origin*
    seconds; with an *end*, only what begins in [origin, end) is taken. Where a stream's time jumps back, it is set
    forward as that of the picture was at its *jumps* (seconds). `damage` lists what is known to be lost."""

    def __init__(
        self,
        container: InputContainer,
        output: OutputContainer,
        picture: Stream,
        origin: Fraction,
        end: Fraction | None,
        jumps: list[Fraction],
    ) -> None:
        self.container, self.output, self.origin, self.end, self.jumps = container, output, origin, end, jumps
        self.ledger: list[Entry] = []
        self.damage: list[str] = []
        self._clocks: dict[int, StreamClock] = {}
        self._handlers: dict[int, Callable[[Packet | None], Iterable[Packet]]] = {}
        for stream in container.streams:
            if stream is picture or stream.index == picture.index:
                self._note(stream, "restored")
            else:
                getattr(self, f"_{stream.type}", self._other)(stream)
        self._describe()

    def packets(self) -> Iterator[Packet]:
        """The packets of all streams that are carried over, about in the order of time."""
        wanted = [s for s in self.container.streams if s.index in self._handlers]
        if not wanted:
            return
        for packet in self._readable(wanted):
            if packet.is_corrupt:
                self._damaged(f"data of stream {packet.stream_index} was lost or damaged in the file")
            clock = self._clocks.setdefault(packet.stream_index, StreamClock(self.jumps))
            if packet.size and clock.continued(packet) and self._in_window(packet):
                yield from self._handlers[packet.stream_index](packet)
        for handler in self._handlers.values():
            yield from handler(None)
        for index, clock in self._clocks.items():
            if clock.overlapping:
                self._damaged(f"{clock.overlapping} packets of stream {index} overlap at a jump in time: left out")

    def _readable(self, wanted: list[Stream]) -> Iterator[Packet]:
        """The packets of the *wanted* streams, up to where the file cannot be read any more."""
        try:
            yield from self.container.demux(wanted)
        except av.FFmpegError as error:
            self._damaged(f"sound and subtitles cannot be read further ({error.strerror})")

    def _damaged(self, note: str) -> None:
        if note not in self.damage:
            self.damage.append(note)
            logger.warning("DAMAGED: %s", note)

    def _in_window(self, packet: Packet) -> bool:
        if packet.stream.disposition & Disposition.attached_pic:
            return True
        time = packet.pts if packet.pts is not None else packet.dts
        return self.end is None or time is None or self.origin <= time * packet.time_base < self.end

    def _note(self, stream: Stream, fate: str, reason: str = "") -> None:
        codec = stream.codec_context.name if stream.codec_context else None
        self.ledger.append(Entry(stream.index, stream.type, codec, fate, reason))
        if fate in ("dropped", "converted"):
            logger.warning("Stream %d (%s %s) is %s: %s", stream.index, stream.type, codec, fate, reason)

    def _audio(self, stream: Stream) -> None:
        if stream.codec_context is None:
            self._note(stream, "dropped", "its codec is unknown")
        elif stream.codec_context.name in self.output.supported_codecs - EXPERIMENTAL.get(
            self.output.format.name, set()
        ):
            self._copy(stream)
        else:
            self._note(stream, "converted", "the container cannot hold this codec: made FLAC of up to 24 bits")
            self._handlers[stream.index] = self._flac(stream)

    def _subtitle(self, stream: Stream) -> None:
        codec = stream.codec_context.name if stream.codec_context else None
        if codec in self.output.supported_codecs:
            self._copy(stream)
        elif codec in TEXT_SUBTITLES:
            target = "mov_text" if "mov_text" in self.output.supported_codecs else "subrip"
            self._note(stream, "converted", f"the container holds text as {target} only; styles may be lost")
            self._handlers[stream.index] = self._retold(stream, target)
        else:
            self._note(stream, "dropped", "the container cannot hold these subtitles; set encode.container: mkv")

    def _video(self, stream: Stream) -> None:
        if not stream.disposition & Disposition.attached_pic:
            self._note(stream, "dropped", "one picture is restored; name another with ingest.stream")
        elif "matroska" in self.output.format.name:
            # Matroska keeps covers as attachments, whose bytes must be there before the first packet is written.
            with av.open(self.container.name) as again:
                cover = next(packet for packet in again.demux(again.streams[stream.index]) if packet.size)
            kind = "png" if stream.codec_context and stream.codec_context.name == "png" else "jpeg"
            self.output.add_attachment(f"cover.{kind}", f"image/{kind}", bytes(cover))
            self._note(stream, "copied")
        elif stream.codec_context is not None and stream.codec_context.name in self.output.supported_codecs:
            self._copy(stream)
        else:
            self._note(stream, "dropped", "the container cannot hold this picture")

    def _attachment(self, stream: Any) -> None:
        if "matroska" in self.output.format.name:
            copy = self.output.add_attachment(stream.name or "attachment", stream.mimetype or "", stream.data)
            copy.metadata.update(stream.metadata)
            self._note(stream, "copied")
        else:
            self._note(stream, "dropped", "only Matroska holds attachments; set encode.container: mkv")

    def _other(self, stream: Stream) -> None:
        if "timecode" in stream.metadata:
            self._note(stream, "converted", "the timecode is carried as metadata")
        else:
            self._note(stream, "dropped", "data of this kind cannot be carried over")

    def _copy(self, stream: Stream) -> None:
        copy = self._added(stream, self.output.add_stream_from_template(stream))
        if stream.type == "audio" and self.output.format.name == "mp4":
            copy.codec_context.layout = named(stream.codec_context.layout)  # MP4 refuses sound that does not name them
        self._note(stream, "copied")
        silence = self._silence(stream, copy)
        last: int | None = None

        def copied(packet: Packet | None) -> Iterator[Packet]:
            nonlocal last
            if packet is not None:
                packet = self._moved(packet, copy)
                if stream.type == "audio":
                    # After damage two packets of sound may claim one moment, which MP4 refuses.
                    if last is not None and packet.dts <= last:
                        packet.dts = last + ceil(TICK / packet.time_base)
                        packet.pts = max(packet.pts, packet.dts)
                    last = packet.dts
                yield from silence(packet)
                yield packet

        self._handlers[stream.index] = copied

    def _silence(self, stream: Any, copy: Any) -> Callable[[Packet], Iterator[Packet]]:
        """What has to be said before a packet of samples where there is a gap: MP4 and MOV play them all in one go."""
        codec = stream.codec_context.name if stream.codec_context else ""
        if not codec.startswith("pcm_") or self.output.format.name not in ("mp4", "mov"):
            return lambda packet: iter(())
        rate, channels = stream.codec_context.rate, stream.codec_context.layout.nb_channels
        sample = bytes([SILENCE.get(codec, 0)]) * (channels * int((re.findall(r"\d+", codec) or [8])[0]) // 8)
        end: Fraction | None = None

        def silence(packet: Packet) -> Iterator[Packet]:
            nonlocal end
            begin = packet.pts * packet.time_base
            end = begin if end is None else end
            if begin - end > 2 * max(TICK, stream.time_base):
                self._damaged(f"sound stream {stream.index} has gaps: filled with silence")
                while missing := min(round((begin - end) * rate), rate):
                    made = Packet(sample * missing)
                    made.pts = made.dts = round(end * rate)
                    made.time_base, made.stream = Fraction(1, rate), copy
                    yield made
                    end += Fraction(missing, rate)
            end += Fraction(packet.size // len(sample), rate)

        return silence

    def _flac(self, stream: Any) -> Callable[[Packet | None], Iterator[Packet]]:
        context = stream.codec_context
        layout = named(context.layout)
        copy = self._added(stream, self.output.add_stream("flac", rate=context.rate, layout=layout))
        depth = "s16" if context.format and context.format.name in SIXTEEN_BITS else "s32"
        copy.codec_context.format = depth
        resampler = AudioResampler(format=depth, layout=layout, rate=context.rate)
        end = Fraction(0)

        def encoded(packet: Packet | None) -> Iterator[Packet]:
            try:
                frames = stream.decode(packet)
            except av.FFmpegError as error:
                self._damaged(f"pieces of sound stream {stream.index} cannot be decoded ({error.strerror})")
                frames = []
            nonlocal end
            for frame in frames:
                if frame.pts is None:  # what a decoder held back to the last
                    frame.pts, frame.time_base = round(end * context.rate), Fraction(1, context.rate)
                end = frame.pts * frame.time_base + Fraction(frame.samples, frame.sample_rate)
                for sound in resampler.resample(frame):
                    yield from (self._moved(made, copy) for made in copy.encode(sound))
            if packet is None:
                yield from (self._moved(made, copy) for made in copy.encode(None))

        return encoded

    def _retold(self, stream: Any, codec: str) -> Callable[[Packet | None], Iterator[Packet]]:
        copy = self._added(stream, self.output.add_stream(codec))
        stream.codec_context.open(strict=False)  # before that it has no header
        copy.codec_context.subtitle_header = stream.codec_context.subtitle_header
        copy.codec_context.time_base = stream.time_base

        def told(packet: Packet | None) -> Iterator[Packet]:
            if packet is None:
                return
            try:
                subtitles = stream.codec_context.decode2(packet)
            except av.FFmpegError as error:
                self._damaged(f"pieces of subtitle stream {stream.index} cannot be read ({error.strerror})")
                return
            if subtitles is None:
                return
            made = copy.codec_context.encode_subtitle(subtitles)
            made.pts, made.dts, made.duration = packet.pts, packet.pts, packet.duration
            made.time_base = packet.time_base
            yield self._moved(made, copy)

        return told

    def _added(self, stream: Stream, copy: Any) -> Any:
        copy.metadata.update({key: value for key, value in stream.metadata.items() if key.lower() not in OWN_TAGS})
        copy.disposition = stream.disposition
        return copy

    def _moved(self, packet: Packet, copy: Stream) -> Packet:
        # AVI counts blocks of sound of up to 48 ms: too coarse to move them by.
        parts = ceil(packet.time_base / FINE)
        packet.time_base /= parts
        packet.duration *= parts
        packet.pts, packet.dts = (time if time is None else time * parts for time in (packet.pts, packet.dts))
        shift = round(self.origin / packet.time_base)
        if copy.disposition & Disposition.attached_pic:
            packet.pts = packet.dts = shift  # a cover belongs to no moment
        elif packet.pts is None:
            packet.pts = packet.dts if packet.dts is not None else 0
        packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        packet.stream = copy
        return packet

    def _describe(self) -> None:
        tags = {key: value for key, value in self.container.metadata.items() if key.lower() not in OWN_TAGS}
        timecodes = [s.metadata["timecode"] for s in self.container.streams if "timecode" in s.metadata]
        self.output.metadata.update(tags)
        if timecodes:
            self.output.metadata["timecode"] = timecodes[0]
        chapters = []
        for chapter in self.container.chapters():
            begin, stop = (chapter[edge] * chapter["time_base"] - self.origin for edge in ("start", "end"))
            if self.end is not None:
                begin, stop = max(begin, Fraction(0)), min(stop, self.end - self.origin)
            if stop > begin or self.end is None:
                unit = chapter["time_base"]
                chapters.append(chapter | {"start": round(begin / unit), "end": round(stop / unit)})
        if chapters:
            self.output.set_chapters(chapters)
