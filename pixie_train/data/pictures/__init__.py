"""Pictures of synthetic people with everything about them known.

    photographer = Photographer(PictureConfig(kind=CropKind.BODY, seed=1), model, bank)
    dataset = PictureDataset(photographer, View(crop_size=112, hd_size=256))
    loader = DataLoader(dataset, batch_size=24, shuffle=True, collate_fn=join)

`PictureStore` reads the same samples back from a folder that `pixie-train synthesise`
has filled. See docs/synthetic.md.
"""

from pixie_train.data.pictures.augmentation import Augmentation
from pixie_train.data.pictures.config import PictureConfig
from pixie_train.data.pictures.dataset import PictureDataset, View
from pixie_train.data.pictures.photographer import Photographer
from pixie_train.data.pictures.sample import Sample
from pixie_train.data.pictures.store import PictureStore, open_store, synthesise

__all__ = [
    "Augmentation",
    "Photographer",
    "PictureConfig",
    "PictureDataset",
    "PictureStore",
    "Sample",
    "View",
    "open_store",
    "synthesise",
]
