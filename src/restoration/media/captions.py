"""Closed captions inside the picture's stream: CEA-608 and -708 data in SEI messages (ATSC A/53 part 4, 6.2.3)."""

ATSC = bytes([0xB5, 0x00, 0x31]) + b"GA94"
"""ITU-T T.35 country and provider code, and the identifier, of ATSC data."""
CAPTIONS = 0x03
REGISTERED_USER_DATA = 4
"""SEI payload type (ITU-T H.264, D.1)."""
SEI_HEADERS = {"h264": bytes([0x06]), "h265": bytes([0x4E, 0x01])}
"""NAL unit headers of SEI messages before the picture."""
MOST_TRIPLETS = 31


def with_captions(codec: str, packet: bytes, captions: bytes) -> bytes:
    """*packet*, an access unit of h264 or h265 in Annex B form, led by SEI messages with *captions* (triplets).

    A message holds 31 triplets, and a film frame from two pictures of telecined video may have more.
    """
    messages = b""
    for first in range(0, len(captions), 3 * MOST_TRIPLETS):
        triplets = captions[first : first + 3 * MOST_TRIPLETS]
        payload = ATSC + bytes([CAPTIONS, 0x40 | len(triplets) // 3, 0xFF]) + triplets + b"\xff"
        message = bytes([REGISTERED_USER_DATA, len(payload)]) + payload + b"\x80"
        messages += b"\0\0\0\1" + SEI_HEADERS[codec] + _escaped(message)
    return messages + packet


def _escaped(data: bytes) -> bytes:
    """With emulation prevention bytes (ITU-T H.264, 7.4.1): no start code appears inside."""
    escaped = bytearray()
    zeros = 0
    for byte in data:
        if zeros >= 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(escaped)
