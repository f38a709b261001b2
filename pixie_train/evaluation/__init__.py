"""How good a network is: the metrics, benchmarks and reports of the paper's section 4.

`alignment`, `point_errors`, `surface_distance`, `face_scan`, `hand_metrics`,
`agora_metrics` and `motion_metrics` are the metrics, on plain arrays; `benchmarks`
reads data sets, `subjects` runs what is evaluated, `running` brings them together and
`report` writes down what came out.
"""
