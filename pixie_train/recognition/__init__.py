"""Face recognition networks out of a user's files, for equation (12).

    embed = open_embedding(Path("face-api/model"))
    losses = StageLosses(weights, gaussians, embed=embed)

Nothing is ever downloaded, and no weights are shipped.
"""
