import numpy as np
import torch
from scipy.ndimage import map_coordinates

from pixie_runtime.bundle import CropSpec
from pixie_runtime.crops import part_places
from pixie_train.picture_training.config import PartCrops
from pixie_train.picture_training.part_crops import cut_squares, jittered

SPEC = CropSpec(size=20, hd_size=64)


def test_parts_are_cut_as_the_runtime_cuts_them() -> None:
    g = torch.Generator().manual_seed(0)
    picture = torch.rand(2, 3, 64, 64, generator=g)
    boxes = torch.rand(2, 3, 3, generator=g) * 50 + 10
    found = cut_squares(picture, boxes, SPEC.size).numpy()
    for person in range(2):
        for part in range(3):
            x, y, side = boxes[person, part].tolist()
            rows, columns = part_places(y, side, SPEC), part_places(x, side, SPEC)
            if part == 1:  # left hands are seen in a mirror
                columns = columns[::-1]
            at = np.stack(np.meshgrid(rows, columns, indexing="ij"))
            padded = np.pad(picture[person].numpy(), ((0, 0), (1, 1), (1, 1)))
            for channel in range(3):
                expected = map_coordinates(
                    padded[channel], at + 1, order=1, mode="constant"
                )
                np.testing.assert_allclose(
                    found[person, part, channel], expected, atol=2e-5
                )


def test_squares_move_and_grow_no_further_than_said() -> None:
    boxes = torch.tensor([[[10.0, 20.0, 8.0]] * 3])
    how = PartCrops(scale_jitter=0.25, shift_jitter=0.5)
    corner = torch.tensor([-1.0, 1.0, 1.0]).expand(1, 3, 3)
    assert jittered(boxes, corner, how)[0, 0].tolist() == [6.0, 24.0, 10.0]
    assert torch.equal(jittered(boxes, torch.zeros(1, 3, 3), how), boxes)
