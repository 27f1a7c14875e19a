"""What the consultation's one picture looks like: panes, captions, composition.

Pictures are YUV 4:2:0 planes throughout; nothing here opens a socket or reads a clock.
"""
