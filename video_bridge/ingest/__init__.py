"""How media enters the node: WebRTC, RTP from rooms, network cameras, and sources drawn here.

Each source turns what it receives into pictures and sound for its leg, and nothing else.
"""
