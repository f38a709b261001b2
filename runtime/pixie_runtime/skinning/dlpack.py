"""DLPack capsules of memory that is not numpy's, with the standard library alone.

The unversioned `DLManagedTensor` of DLPack 0.8, which every consumer takes.
"""

import ctypes
from typing import Any

CPU, CUDA = 1, 2
"""`DLDeviceType`."""

_FLOAT = 2
_NAME = b"dltensor"


class _Device(ctypes.Structure):
    _fields_ = (("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32))


class _DataType(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
    )


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("ndim", ctypes.c_int32),
        ("dtype", _DataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class _ManagedTensor(ctypes.Structure):
    pass


_Deleter = ctypes.CFUNCTYPE(None, ctypes.POINTER(_ManagedTensor))
_ManagedTensor._fields_ = (
    ("dl_tensor", _Tensor),
    ("manager_ctx", ctypes.c_void_p),
    ("deleter", _Deleter),
)
_Destructor = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)

_lent: dict[int, Any] = {}
"""What consumers still use, by the tensor's address; they do not count references."""


def capsule(
    address: int, shape: tuple[int, ...], device: tuple[int, int], owner: object
) -> Any:
    """Return a `dltensor` capsule of float32 numbers in C order.

    Args:
        address: Of the first number.
        shape: Of the array.
        device: DLPack's type and number of the device.
        owner: Kept alive until the consumer is done.
    """
    sizes = (ctypes.c_int64 * len(shape))(*shape)
    managed = _ManagedTensor()
    tensor = managed.dl_tensor
    tensor.data = address
    tensor.device = _Device(*device)
    tensor.ndim = len(shape)
    tensor.dtype = _DataType(_FLOAT, 32, 1)
    tensor.shape = ctypes.cast(sizes, ctypes.POINTER(ctypes.c_int64))
    managed.deleter = _deleter
    key = ctypes.addressof(managed)
    _lent[key] = (managed, sizes, owner)
    return _new_capsule(key, _NAME, _destructor)


def _forget_tensor(tensor: Any) -> None:
    """Called by the consumer when it is done."""
    _lent.pop(ctypes.addressof(tensor.contents), None)


def _destroy_capsule(pointer: int) -> None:
    """Called by Python when the capsule goes; a consumer renames one that it used."""
    if _is_valid(pointer, _NAME):
        _lent.pop(_get_pointer(pointer, _NAME), None)


# Module level: consumers call them for as long as the process lives.
_deleter = _Deleter(_forget_tensor)
_destructor = _Destructor(_destroy_capsule)
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, _Destructor)
_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.restype = ctypes.c_int
_is_valid.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.restype = ctypes.c_void_p
_get_pointer.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
