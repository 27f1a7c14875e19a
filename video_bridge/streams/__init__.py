"""One media of one leg in one direction: from packets to pictures and sound, and back.

Streams know RTP, RTCP and codecs; they own no socket and no conference.
"""
