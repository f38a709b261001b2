"""What a wrong person costs: the paper's equations (4) to (17), one idea a module.

    reduction     from costs of points, joints and people to one number
    points        L1 on 2D and 3D points (4), (5), (7), (9); eyelids and lips (10)
    parameters    squared errors of rotations and coefficients (6), (7), (8)
    photometric   the rendered face against the picture (11)
    identity      who is seen (12)
    priors        expression (13), jaw (14), face yaw (15), albedo and light
    shape         distance from the bodies of a gender (16)
    update        body-derived against fused features (17)
    weights       how much each term counts, by stage
    choices       what the paper leaves open
    terms, stage  which terms a crop has, and their sum
    landmark      the loss of the landmark variant

`docs/losses.md` has the formulas in one table.
"""
