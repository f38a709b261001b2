"""Live whole-body motion capture: frames in, SMPL-X parameters out; no torch."""

__version__ = "0.1.0"
