"""What the landmark model's face mesh tells of pictures of faces: landmarks and skin.

The 468 points are MediaPipe Face Mesh's, found by the runtime. `mesh` says how they are
one surface, `skin` which of a picture's pixels that surface covers, `landmarks68` where
iBUG's 68 points lie on it. `finding` runs the networks on pictures in files.
"""
