"""Training of the image networks: part experts alone, then whole bodies end to end.

    network = ImagePixie(config)
    body = TrainingBody.of(model, config.core)
    train(StageRun(stage="body"), network, {CropKind.BODY: dataset}, body, folder)

    config        one run's typed configuration
    body          what training needs of a body model
    part_crops    head and hands, cut where they truly are or where the body says
    passes        from a batch to its loss, by stage
    stream        which sample is seen when
    loading       the loader of that stream
    state         checkpoints
    average       exponentially averaged weights
    learning      the network, its optimiser and its average; one step
    shared_norm   batch normalisation over several processes
    launching     several processes of this machine
    given_files   which files a run was given, by content
    resuming      whether a run may be gone on with
    made_with     versions and commit
    beginning     upright people, or what experts have learned
    loop          the loop, top to bottom
    log           its table and plot
    overlays      held-out pictures with true bodies and the network's
    watching      bar, overlays and plot while it runs
    trouble       which of a batch are to blame
    sources       a command's data
    commands      pixie-train expert and whole

See the second part of docs/training.md.
"""
