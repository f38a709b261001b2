"""A small image network taught by a large one on footage (docs/distillation.md).

`watching` lets the teacher look at the footage and keeps its lessons in a `store`;
`dataset` hands them out, `losses` say how far a student is from them.
"""
