"""The CUDA source itself, compiled for the processor, is the reference to 1e-5 m."""

import ctypes
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixie_runtime import rotations as rot
from pixie_runtime.body import BodyModel, embedded_body_model
from pixie_runtime.rendering.shading import vertex_normals
from pixie_runtime.skinning import dlpack
from pixie_runtime.skinning.device import DeviceArray
from pixie_runtime.skinning.device_skinner import DeviceMeshes, DeviceSkinner
from pixie_runtime.skinning.plan import Launch
from pixie_runtime.smplx import JOINT_COUNT
from pixie_runtime.types import Float32, SmplxParams
from tests.runtime.skinning.bodies import cut, dense, random, worst_m
from tests.runtime.skinning.cpu_device import (
    COMPILER,
    SANITIZERS,
    CpuDevice,
    compiled,
)

pytestmark = pytest.mark.skipif(COMPILER is None, reason="g++ is not installed")

TOLERANCE_M = 1e-5


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("cpu"))


@pytest.fixture(scope="module")
def small() -> BodyModel:
    return cut(embedded_body_model(), 999)


def person(model: BodyModel, seed: int) -> SmplxParams:
    rng = np.random.default_rng(seed)
    rotvecs = rng.normal(0, 0.6, (JOINT_COUNT, 3))
    return SmplxParams(
        betas=random(rng, model.n_betas),
        expression=random(rng, min(10, model.n_expression)),
        rotations=rot.from_rotvec(rotvecs).astype(np.float32),
        transl=random(rng, 3),
    )


def expected(model: BodyModel, p: SmplxParams) -> tuple[Float32, Float32]:
    posed = model.shaped(p.betas, p.expression).posed(p.rotations, p.transl)
    return posed.vertices(), posed.joints


def check(model: BodyModel, people: list[SmplxParams], meshes: DeviceMeshes) -> None:
    vertices, joints = meshes.vertices.to_numpy(), meshes.joints.to_numpy()
    assert vertices.shape == (len(people), model.vertex_count, 3)
    for index, one in enumerate(people):
        exact, exact_joints = expected(model, one)
        assert worst_m(vertices[index], exact) < TOLERANCE_M
        assert worst_m(joints[index], exact_joints) < TOLERANCE_M


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_people_are_the_reference(library: Path, small: BodyModel, count: int) -> None:
    people = [person(small, seed) for seed in range(count)]

    with DeviceSkinner(small, CpuDevice(library), people=count) as skinner:
        check(small, people, skinner.skin(people))


def test_the_whole_embedded_body_is_the_reference(library: Path) -> None:
    model = embedded_body_model()

    with DeviceSkinner(model, CpuDevice(library), people=1) as skinner:
        check(model, [person(model, 0)], skinner.skin([person(model, 0)]))


def test_dense_correctives_are_the_reference(library: Path, small: BodyModel) -> None:
    model = dense(small)

    with DeviceSkinner(model, CpuDevice(library), people=2) as skinner:
        people = [person(model, 0), person(model, 1)]
        check(model, people, skinner.skin(people))


def test_normals_are_the_renderers(library: Path, small: BodyModel) -> None:
    people = [person(small, 0), person(small, 1)]
    device = CpuDevice(library)
    with DeviceSkinner(small, device, people=2, normals=True) as skinner:
        meshes = skinner.skin(people)
        assert meshes.normals is not None
        found, vertices = meshes.normals.to_numpy(), meshes.vertices.to_numpy()

    for index in range(2):
        exact = vertex_normals(vertices[index], small.faces)
        np.testing.assert_allclose(found[index], exact, atol=1e-3)


def test_a_shape_is_made_once_and_again_only_when_forgotten(
    library: Path, small: BodyModel
) -> None:
    device = CpuDevice(library)
    a, b, c = (person(small, seed) for seed in range(3))
    moved = replace(a, transl=a.transl + 1)
    with DeviceSkinner(small, device, people=2) as skinner:
        for people, made in (
            ([a, b], True),
            ([b, moved], False),  # other order, another pose, the same shapes
            ([a], False),
            ([a, c], True),  # b's place is taken
            ([a, b], True),
            ([a, a], False),
        ):
            device.launched.clear()
            check(small, people, skinner.skin(people))
            assert ("rest_mesh" in device.launched) == made


def test_the_order_of_threads_does_not_matter(library: Path, small: BodyModel) -> None:
    people = [person(small, seed) for seed in range(3)]
    results = []
    for backwards in (False, True):
        device = CpuDevice(library, backwards=backwards)
        with DeviceSkinner(small, device, people=3, normals=True) as skinner:
            meshes = skinner.skin(people)
            assert meshes.normals is not None
            results.append(
                [a.to_numpy() for a in (meshes.vertices, meshes.normals, meshes.joints)]
            )

    for forwards, reversed_ in zip(*results, strict=True):
        np.testing.assert_array_equal(forwards, reversed_)


def test_absent_people_leave_no_trace(library: Path, small: BodyModel) -> None:
    with DeviceSkinner(small, CpuDevice(library), people=4) as skinner:
        meshes = skinner.skin([person(small, 0)])
        everything = replace(meshes.vertices, shape=(4, small.vertex_count, 3))
        found = everything.to_numpy()

    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1:]).all()  # what memory is poisoned with


@pytest.mark.parametrize("count", [0, 3])
def test_nobody_and_too_many_are_refused(
    library: Path, small: BodyModel, count: int
) -> None:
    with (
        DeviceSkinner(small, CpuDevice(library), people=2) as skinner,
        pytest.raises(ValueError, match=f"{count} people, .* opened for 1 to 2"),
    ):
        skinner.skin([person(small, 0)] * count)


def test_coefficients_of_another_model_are_refused(
    library: Path, small: BodyModel
) -> None:
    other = replace(person(small, 0), betas=np.zeros(300, np.float32))
    with (
        DeviceSkinner(small, CpuDevice(library), people=1) as skinner,
        pytest.raises(ValueError, match=r"betas has 300 coefficients, .* at most 50"),
    ):
        skinner.skin([other])


def test_results_are_lent_through_dlpack_without_a_copy(
    library: Path, small: BodyModel
) -> None:
    from torch.utils import (
        dlpack as torch_dlpack,
    )  # not at the top: the sanitizer's process imports this file

    with DeviceSkinner(small, CpuDevice(library), people=1) as skinner:
        meshes = skinner.skin([person(small, 0)])
        in_numpy = np.from_dlpack(meshes.vertices)
        in_torch = torch_dlpack.from_dlpack(meshes.vertices)

        assert in_numpy.ctypes.data == meshes.vertices.address == in_torch.data_ptr()
        np.testing.assert_array_equal(in_numpy, meshes.vertices.to_numpy())
        assert tuple(in_torch.shape) == meshes.vertices.shape

        assert len(dlpack._lent) == 2
        del in_numpy, in_torch
        assert not dlpack._lent
        unused = meshes.vertices.__dlpack__()
        assert len(dlpack._lent) == 1
        del unused
        assert not dlpack._lent
        with pytest.raises(BufferError, match="without a copy"):
            meshes.vertices.__dlpack__(copy=True)
        assert not hasattr(meshes.vertices, "__cuda_array_interface__")


def test_on_a_card_results_have_the_cuda_array_interface(library: Path) -> None:
    class Card(CpuDevice):
        dlpack_device = (dlpack.CUDA, 0)
        stream = 77

    array = DeviceArray(4096, (2, 10, 3), Card(library), None)

    assert array.__cuda_array_interface__ == {
        "shape": (2, 10, 3),
        "typestr": "<f4",
        "data": (4096, False),
        "version": 3,
        "strides": None,
        "stream": 77,
    }
    assert array.__dlpack_device__() == (2, 0)


def faulty(kernel: str, *, numbers: int = 32) -> tuple[Launch, Float32]:
    launch = Launch(kernel, (1, 1, 1), (32, 1, 1), 32 * 4, ("out",))
    return launch, np.zeros(numbers, np.float32)


def test_the_shim_finds_threads_at_different_barriers(library: Path) -> None:
    launch, out = faulty("uneven_barriers")

    with pytest.raises(RuntimeError, match="different barriers"):
        CpuDevice(library).launch(launch, [ctypes.c_void_p(out.ctypes.data)])


def test_the_shim_shows_a_missing_barrier(library: Path) -> None:
    launch, forwards = faulty("no_barrier")
    backwards = forwards.copy()

    CpuDevice(library).launch(launch, [ctypes.c_void_p(forwards.ctypes.data)])
    CpuDevice(library, backwards=True).launch(
        launch, [ctypes.c_void_p(backwards.ctypes.data)]
    )

    assert np.isnan(forwards).any()  # shared memory before it was written
    assert not np.array_equal(forwards, backwards, equal_nan=True)


SANITIZED = """
import ctypes, sys
from pathlib import Path
import numpy as np
from pixie_runtime.body import embedded_body_model
from pixie_runtime.skinning.device_skinner import DeviceSkinner
from tests.runtime.skinning.bodies import cut
from tests.runtime.skinning.cpu_device import CpuDevice
from tests.runtime.skinning.test_device_skinner import check, faulty, person

library, what = Path(sys.argv[1]), sys.argv[2]
if what == "fault":
    launch, out = faulty("beyond_the_end")
    CpuDevice(library).launch(launch, [ctypes.c_void_p(out.ctypes.data)])
else:
    model = cut(embedded_body_model(), 499)
    for count in (1, 3):
        people = [person(model, seed) for seed in range(count)]
        with DeviceSkinner(
            model, CpuDevice(library), people=count, normals=True
        ) as skinner:
            check(model, people, skinner.skin(people))
print("done")
"""


def run_sanitized(library: Path, what: str) -> subprocess.CompletedProcess[str]:
    assert COMPILER is not None
    runtimes = [
        subprocess.run(
            [COMPILER, f"-print-file-name={name}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    return subprocess.run(
        [sys.executable, "-c", SANITIZED, str(library), what],
        env={
            "LD_PRELOAD": " ".join(runtimes),
            "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
            "PYTHONPATH": ":".join(sys.path),
            "PYTHONMALLOC": "malloc",
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return compiled(tmp_path_factory.mktemp("sanitized"), *SANITIZERS)
    except subprocess.CalledProcessError:
        pytest.skip("g++ has no sanitizers here")


def test_no_kernel_reads_or_writes_where_it_must_not(sanitized: Path) -> None:
    done = run_sanitized(sanitized, "kernels")

    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "done\n"
    assert "ERROR" not in done.stderr


def test_the_sanitizer_would_have_found_it(sanitized: Path) -> None:
    done = run_sanitized(sanitized, "fault")

    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
    assert "beyond_the_end" in done.stderr
