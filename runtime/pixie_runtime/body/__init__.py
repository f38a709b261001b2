"""The body model in numpy: model -> shaped -> posed -> mesh, each an immutable value.

    model = embedded_body_model()
    posed = model.shaped(betas, expression).posed(rotations, transl)
    posed.joints, posed.vertices()

Standard linear blend skinning as in SMPL-X (Pavlakos et al. 2019; spec: pixie-network,
section 7). Joints cost a fraction of a millisecond; vertices are made only when asked
for.
"""

from pixie_runtime.body.loading import (
    embedded_body_file,
    embedded_body_model,
    load_body_model,
)
from pixie_runtime.body.model import BodyModel
from pixie_runtime.body.posing import PosedBody, ShapedBody

__all__ = [
    "BodyModel",
    "PosedBody",
    "ShapedBody",
    "embedded_body_file",
    "embedded_body_model",
    "load_body_model",
]
