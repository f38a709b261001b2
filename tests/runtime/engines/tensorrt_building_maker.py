"""TensorRT for tests of engines: builds what it opens, where users have a command."""

from dataclasses import dataclass
from pathlib import Path

from pixie_export.tensorrt_bundle import Job, Target, build_engines
from pixie_runtime.engines import Engine
from pixie_runtime.engines.choosing import choose
from pixie_runtime.engines.tensorrt_engine import TensorrtMaker
from pixie_runtime.engines.tensorrt_library import Library, LibraryKind
from tests.runtime.engines.tensorrt_fakes import FakeDevice, FakeTensorrt


@dataclass(frozen=True)
class BuildingMaker:
    """Builds an engine for every network just before it is opened."""

    maker: TensorrtMaker
    concurrent = False
    int8 = False

    @property
    def description(self) -> str:
        return self.maker.description

    def open(self, model: Path | bytes, *, threads: int | None = None) -> Engine:
        gpu, library = self.maker.device.gpu, self.maker.library
        measured = gpu if library.kind == "tensorrt" else None
        name = "network" if isinstance(model, bytes) else model.stem
        target, jobs = Target((gpu.target,), measured), [Job(name, model)]
        list(build_engines(library, jobs, target, self.maker.cache))
        return self.maker.open(model)


def on_this_gpu(kind: LibraryKind, cache: Path) -> BuildingMaker:
    """Return the real library on the real GPU."""
    maker = choose(kind, cache=cache)
    assert isinstance(maker, TensorrtMaker)
    return BuildingMaker(maker)


def on_a_fake_gpu(cache: Path) -> BuildingMaker:
    """Return our own part of it, with NVIDIA's part made of ONNX Runtime."""
    device = FakeDevice()
    fake = FakeTensorrt(device)
    fake.unknown_operator = "Mystery"
    library = Library("tensorrt", fake)
    return BuildingMaker(TensorrtMaker(cache=cache, library=library, device=device))
