"""How long somebody may be out of view and still be taken for the same person."""

FORGET_S = 10.0
"""Whoever comes after a longer absence, seconds, may be somebody else: what was learned
of the person, shape and usual opening of the eyes, is learned anew."""
