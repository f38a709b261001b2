"""Names of the array kinds that the bake hands around."""

from typing import Any

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.floating[Any]]
Int = npt.NDArray[np.integer[Any]]
Bool = npt.NDArray[np.bool_]
