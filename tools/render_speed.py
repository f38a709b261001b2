"""Measure how long drawing faces takes, forward and backward.

python -m tools.render_speed --threads 1
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from torch import Tensor

from pixie_runtime.body import embedded_body_model
from pixie_train.body_model import TorchSurface
from pixie_train.data.pictures.light import draw_light
from pixie_train.rendering import FaceRasteriser
from pixie_train.rendering.faces import pixels
from pixie_train.rendering.rasteriser import by_tensors, visible_triangles
from pixie_train.rotations import matrix_from_rotvec


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    B = options.batch
    model = embedded_body_model()
    render = FaceRasteriser(model, size=options.size)
    surface = TorchSurface(model, n_betas=2, n_expression=2)
    R = torch.eye(3).repeat(B, 55, 1, 1)
    turns = torch.linspace(-0.8, 0.8, B)[:, None] * torch.tensor([[0.0, 1, 0]])
    R[:, 0] = torch.diag(torch.tensor([1.0, -1, -1])) @ matrix_from_rotvec(turns)
    posed = surface(torch.zeros(B, 2), torch.zeros(B, 2), R)
    vertices = posed.vertices - posed.joints[:, 23:25].mean(1, keepdim=True)
    lights = [draw_light(np.random.default_rng(number)) for number in range(B)]
    inputs = (
        vertices.clone(),
        torch.tensor([[9.0, 0, -0.02]]).repeat(B, 1),
        torch.zeros(B, render.n_texture),
        torch.from_numpy(np.stack(lights)),
    )
    for value in inputs:
        value.requires_grad_()
    with torch.no_grad():
        points = pixels(vertices[:, render.get_buffer("used")], inputs[1], render.size)
    faces, size = render.get_buffer("faces"), (render.size, render.size)
    rasterisers: dict[str, Callable[[], Tensor]] = {
        "rasterise by loops": lambda: visible_triangles(points, faces, size),
        "rasterise by tensors": lambda: by_tensors(points, faces, size),
    }
    spent: dict[str, list[float]] = {}
    for _ in range(options.repeats + 1):
        for name, work in rasterisers.items():
            start = time.perf_counter()
            work()
            spent.setdefault(name, []).append(time.perf_counter() - start)
        start = time.perf_counter()
        drawn = render(*inputs)
        middle = time.perf_counter()
        drawn.image.square().sum().backward()
        spent.setdefault("face, forward", []).append(middle - start)
        spent.setdefault("face, backward", []).append(time.perf_counter() - middle)
    covered = float(drawn.mask.mean())
    print(f"{B} faces of {render.size} pixels, {covered:.0%} covered, {len(faces)}")
    print(f"triangles, {options.threads} threads; median of {options.repeats}")
    for name, times in spent.items():
        print(f"{name}: {median(times[1:]) * 1e3 / B:.2f} ms a picture")


if __name__ == "__main__":
    main()
