"""Bakes the embedded body: MakeHuman's CC0 data to a model file in SMPL-X's layout.

Run as `python -m tools.bake_body`; how to set it up is in docs/body-model.md.
"""
