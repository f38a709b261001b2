"""Whether this processor multiplies bytes fast enough for int8 to be worth it.

x86 with AVX2 does, which is nearly every one since 2015: a hand's landmarks take 76 %
of float32's time there, and 64 % with the VNNI instructions (docs/landmarks.md). What
ships in int8 says the same with and without those, for it was rounded so that sums of
two products fit 16 bits (`pixie_export.weight_steps`). ARM was not measured: no.
"""

import cv2

_AVX2 = 11
"""OpenCV's number of it (CV_CPU_AVX2 in cvdef.h)."""


def multiplies_bytes() -> bool:
    """Return whether it does."""
    return bool(cv2.checkHardwareSupport(_AVX2))
