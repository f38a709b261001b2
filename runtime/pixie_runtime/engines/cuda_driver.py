"""Whether there is a GPU that CUDA programs can use, asked of the driver itself."""

import ctypes
import sys

_NO_DEVICE = 100
"""CUDA_ERROR_NO_DEVICE of the driver API."""


def gpu_fault() -> str | None:
    """Return why no CUDA program can run here, or None if one can.

    Loads the driver's library and asks it for devices (`cuInit`, `cuDeviceGetCount` of
    the CUDA driver API); no context is made and no memory taken.
    """
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return f"there is no NVIDIA driver ({library})"
    code = int(driver.cuInit(0))
    if code not in (0, _NO_DEVICE):
        return f"the NVIDIA driver does not start (CUDA error {code})"
    count = ctypes.c_int(0)
    if code == 0:
        code = int(driver.cuDeviceGetCount(ctypes.byref(count)))
    if code or count.value < 1:
        return "the NVIDIA driver finds no GPU"
    return None
