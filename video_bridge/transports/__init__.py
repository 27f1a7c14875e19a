"""The sockets of the media room: the port range, ICE with DTLS, and plain RTP pairs.

Nothing here knows codecs or conferences: packets go up decrypted, packets come down to be sent.
"""
