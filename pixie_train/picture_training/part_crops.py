"""Pictures of heads and hands, cut out of a body's finer picture on the device."""

import torch
from torch import Tensor
from torch.nn import functional

from pixie_train.batch import Batch, unit_range
from pixie_train.networks.image_pixie import ImageCrops
from pixie_train.picture_training.config import PartCrops

_LEFT_HAND = 1


def jittered(boxes: Tensor, draws: Tensor, how: PartCrops) -> Tensor:
    """Return squares (B, 3, 3) moved and scaled by chance.

    Args:
        boxes: centre x, centre y, side.
        draws: (B, 3, 3) in [-1, 1]: along x, along y, in size.
        how: by how much at most.
    """
    side = boxes[..., 2:]
    centre = boxes[..., :2] + draws[..., :2] * how.shift_jitter * side
    return torch.cat([centre, side * (1 + draws[..., 2:] * how.scale_jitter)], dim=-1)


def part_crops(batch: Batch, boxes: Tensor, size: int) -> ImageCrops:
    """Return what the three encoders see of whole bodies.

    Args:
        batch: of bodies.
        boxes: the parts' squares in pixels of the finer picture, (B, 3, 3); of `image`
            where there is no finer one.
        size: side of the parts' crops.
    """
    pictures = batch.pictures
    fine = pictures.image if pictures.image_hd is None else pictures.image_hd
    with torch.no_grad():
        cut = cut_squares(unit_range(fine), boxes.float(), size)
    seen = pictures.parts_seen
    present = boxes.new_ones(len(batch), 3) if seen is None else seen.to(boxes)
    return ImageCrops(
        body=unit_range(pictures.image),
        head=cut[:, 0],
        hands=cut[:, 1:],
        present=present,
    )


def cut_squares(picture: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Return crops (B, 3, 3, size, size) of pictures (B, 3, H, H), left hands mirrored.

    Pixels are sampled where the runtime samples them (`crops.part_places`, spec:
    pixie-network, section 8.3); bilinear, black outside.
    """
    count, _, _, side = picture.shape
    step = (torch.arange(size, device=boxes.device) + 0.5) / size - 0.5
    # Edge-based pixels of the picture, (B, 3, size).
    x, y = (boxes[..., i, None] + boxes[..., 2:] * step for i in (0, 1))
    x = torch.cat([x[:, :1], x[:, 1:2].flip(-1), x[:, 2:]], dim=1)
    # `grid_sample` without aligned corners counts from edge to edge in [-1, 1].
    x, y = (places * 2 / (side - 1) - 1 for places in (x, y))
    grid = torch.stack(
        [
            x[:, :, None, :].expand(-1, -1, size, -1),
            y[:, :, :, None].expand(-1, -1, -1, size),
        ],
        dim=-1,
    )
    crops = functional.grid_sample(
        picture, grid.reshape(count, 3 * size, size, 2), align_corners=False
    )
    return crops.reshape(count, 3, 3, size, size).transpose(1, 2)
