"""A landmark network so small that tests train and export it in a moment."""

from pixie_train.config import CoreConfig

TINY_CORE = CoreConfig(
    feature_dim=16,
    regressor_width=16,
    part_regressor_layers=1,
    moderator_width=8,
    moderator_layers=1,
    n_betas=16,
    n_expression=43,
    n_texture=0,
)
