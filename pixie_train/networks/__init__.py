"""PIXIE's parts, one module per idea: encoders, extractors, moderators, regressors.

Read beside Fig. 3 of the paper: encoders give F_b, F_f, F_h; extractors turn F_b into
the parts' feature space; moderators fuse body-derived and part features by confidence;
regressors turn features into SMPL-X parameters.
"""
