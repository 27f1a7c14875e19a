"""The one content token of a consultation: who shows a page or a screen to all (辅流, 双流).

H.239 and BFCP rooms and shared screens of browsers ask for the same token.
"""
