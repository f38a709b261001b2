"""Whether this processor multiplies bytes as fast as ONNX Runtime's int8 needs it.

On x86 that takes the VNNI instructions: without them int8 is slower, and sums of two
products are cut off at 16 bits, which int8 networks of unsigned activations feel (ONNX
Runtime, "Quantize ONNX models", on U8S8). Elsewhere it was not measured: no.
"""

from pathlib import Path

import cv2

_AVX512_VNNI = 23
"""OpenCV's number of it (CV_CPU_AVX_512VNNI in cvdef.h)."""
_CPUINFO = Path("/proc/cpuinfo")


def multiplies_bytes(cpuinfo: Path = _CPUINFO) -> bool:
    """Return whether the processor has AVX512-VNNI, or AVX-VNNI as Linux tells it.

    Args:
        cpuinfo: where Linux describes processors; nothing is read elsewhere.
    """
    if cv2.checkHardwareSupport(_AVX512_VNNI):
        return True
    try:
        text = cpuinfo.read_text("utf-8", "replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return not {"avx_vnni", "avx512_vnni"}.isdisjoint(flags.split())
