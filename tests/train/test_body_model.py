from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pixie_export.to_onnx import export
from pixie_runtime import rotations as quaternions
from pixie_runtime.body import (
    BodyModel,
    PosedBody,
    embedded_body_model,
    load_body_model,
)
from pixie_runtime.bundle import TensorSpec
from pixie_runtime.engines.onnxruntime_engine import OnnxRuntimeEngine
from pixie_runtime.errors import ModelFileError
from pixie_runtime.smplx import JAW, JOINT_COUNT, JOINT_INDEX
from pixie_train import rotations
from pixie_train.body_model import FacePoints, TorchBody, TorchSurface
from pixie_train.camera import project
from tests.runtime.body.files import in_smplx_layout, licensed_stand_in, save
from tests.runtime.body.test_smplx_peer import Pair, Parameters, peer_of, peers
from tests.train.conftest import Recorded

HEAD = JOINT_INDEX["head"]
TOLERANCE_M = 1e-5
SOME_VERTICES = [4000, 7, 9999, 512]


@dataclass(frozen=True)
class People:
    betas: Tensor
    expression: Tensor
    R: Tensor
    transl: Tensor

    def __getitem__(self, i: int) -> "People":
        part = slice(i, i + 1)
        return People(
            self.betas[part], self.expression[part], self.R[part], self.transl[part]
        )

    def in_runtime(self, model: BodyModel, i: int) -> PosedBody:
        shaped = model.shaped(self.betas[i].numpy(), self.expression[i].numpy())
        q = quaternions.from_matrix(self.R[i].numpy()).astype(np.float32)
        return shaped.posed(q, self.transl[i].numpy())


def people(count: int, n_betas: int, n_expression: int, *, seed: int = 0) -> People:
    generator = torch.Generator().manual_seed(seed)
    w = torch.randn(count, JOINT_COUNT, 3, generator=generator) * 0.5
    w[:, 0] *= 3
    return People(
        betas=torch.randn(count, n_betas, generator=generator),
        expression=torch.randn(count, n_expression, generator=generator),
        R=rotations.matrix_from_rotvec(w),
        transl=torch.randn(count, 3, generator=generator),
    )


@pytest.fixture(scope="module", params=["embedded", "licensed layout"])
def any_model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> BodyModel:
    if request.param == "embedded":
        return embedded_body_model()
    path = tmp_path_factory.mktemp("model") / "SMPLX_NEUTRAL.npz"
    return load_body_model(save(path, licensed_stand_in()))


def whole(model: BodyModel) -> TorchSurface:
    return TorchSurface(model, n_betas=model.n_betas, n_expression=model.n_expression)


def someone(seed: int) -> tuple[Tensor, Tensor]:
    one = people(1, 16, 1, seed=seed)
    return one.betas, one.R


def test_surface_and_joints_are_those_of_the_runtime(any_model: BodyModel) -> None:
    many = people(3, any_model.n_betas, any_model.n_expression)

    output = whole(any_model)(many.betas, many.expression, many.R, many.transl)

    for i in range(3):
        expected = many.in_runtime(any_model, i)
        np.testing.assert_allclose(
            output.vertices[i], expected.vertices(), atol=TOLERANCE_M, rtol=0
        )
        np.testing.assert_allclose(
            output.joints[i], expected.joints, atol=TOLERANCE_M, rtol=0
        )


def test_surface_and_joints_are_those_of_the_smplx_package(tmp_path: Path) -> None:
    model = embedded_body_model()
    path = save(tmp_path / "SMPLX_NEUTRAL.npz", in_smplx_layout(model))
    pair = Pair(model, peer_of(path, model.n_betas, model.n_expression))
    many = people(2, model.n_betas, model.n_expression, seed=1)

    output = whole(model)(many.betas, many.expression, many.R, many.transl)

    for i in range(2):
        parameters = Parameters(
            betas=many.betas[i].numpy(),
            expression=many.expression[i].numpy(),
            rotations=quaternions.from_matrix(many.R[i].numpy()).astype(np.float32),
            transl=many.transl[i].numpy(),
        )
        vertices, joints = peers(pair, parameters)
        np.testing.assert_allclose(
            output.vertices[i], vertices, atol=TOLERANCE_M, rtol=0
        )
        np.testing.assert_allclose(
            output.joints[i], joints[:55], atol=TOLERANCE_M, rtol=0
        )


@pytest.mark.parametrize("setting", ["body", "soft", "paste", "bodyonly"])
def test_surface_is_that_of_the_official_release(
    official_model: BodyModel, recorded: Recorded, setting: str
) -> None:
    surface = TorchSurface(official_model, n_betas=200, n_expression=50)

    output = surface(
        recorded[f"{setting}.param.shape"],
        recorded[f"{setting}.param.exp"],
        recorded[f"{setting}.full_pose"],
    )

    expected = recorded[f"{setting}.vertices"]
    torch.testing.assert_close(output.vertices, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        project(output.vertices, recorded[f"{setting}.param.body_cam"]),
        recorded[f"{setting}.transformed_vertices"],
        atol=1e-5,
        rtol=0,
    )


def test_chosen_vertices_are_those_of_the_whole_surface(model: BodyModel) -> None:
    one = people(2, 5, 3)
    chosen = TorchSurface(model, n_betas=5, n_expression=3, vertices=SOME_VERTICES)
    every = TorchSurface(model, n_betas=5, n_expression=3)

    few = chosen(one.betas, one.expression, one.R)
    all_of_it = every(one.betas, one.expression, one.R)

    torch.testing.assert_close(few.vertices, all_of_it.vertices[:, SOME_VERTICES])
    torch.testing.assert_close(few.joints, all_of_it.joints)


def test_a_batch_equals_its_items(model: BodyModel) -> None:
    many = people(3, 5, 3)
    surface = TorchSurface(model, n_betas=5, n_expression=3, vertices=SOME_VERTICES)

    together = surface(many.betas, many.expression, many.R, many.transl)

    for i in range(3):
        one = many[i]
        alone = surface(one.betas, one.expression, one.R, one.transl)
        torch.testing.assert_close(together.vertices[i], alone.vertices[0])
        torch.testing.assert_close(together.joints[i], alone.joints[0])


def test_gradients_are_those_of_finite_differences(model: BodyModel) -> None:
    surface = TorchSurface(model, n_betas=2, n_expression=2, vertices=SOME_VERTICES[:2])
    surface.double()
    one = people(1, 2, 2)
    variables = [
        value.double().requires_grad_()
        for value in (one.betas, one.expression, one.R, one.transl)
    ]

    def points(*values: Tensor) -> Tensor:
        output = surface(*values)
        return torch.cat([output.vertices, output.joints[:, [0, HEAD, 54]]], dim=1)

    assert torch.autograd.gradcheck(points, variables, fast_mode=True)


class _AsTuple(torch.nn.Module):
    def __init__(self, surface: TorchSurface) -> None:
        super().__init__()
        self.surface = surface

    def forward(
        self, betas: Tensor, expression: Tensor, R: Tensor, transl: Tensor
    ) -> tuple[Tensor, Tensor]:
        output = self.surface(betas, expression, R, transl)
        return output.vertices, output.joints


def test_the_exported_surface_computes_the_same_for_any_batch(
    model: BodyModel,
) -> None:
    module = _AsTuple(
        TorchSurface(model, n_betas=5, n_expression=3, vertices=range(0, 12_000, 40))
    )
    onnx_model = export(
        module,
        [
            tensor("betas", 5),
            tensor("expression", 3),
            tensor("rotations", JOINT_COUNT, 3, 3),
            tensor("transl", 3),
        ],
        [tensor("vertices", 300, 3), tensor("joints", JOINT_COUNT, 3)],
    )

    kinds = {node.op_type for node in onnx_model.graph.node}
    assert not kinds & {"Loop", "Scan", "If"}
    with OnnxRuntimeEngine(onnx_model.SerializeToString(), threads=1) as engine:
        for count in (1, 4):
            some = people(count, 5, 3, seed=count)
            inputs = (some.betas, some.expression, some.R, some.transl)
            names = ("betas", "expression", "rotations", "transl")
            outputs = engine.infer(
                {n: x.numpy() for n, x in zip(names, inputs, strict=True)}
            )
            for name, expected in zip(
                ("vertices", "joints"), module(*inputs), strict=True
            ):
                np.testing.assert_allclose(
                    outputs[name], expected, atol=TOLERANCE_M, rtol=0
                )


def tensor(name: str, *shape: int) -> TensorSpec:
    return TensorSpec(name, ("batch", *shape), "float32", "")


def test_a_body_with_fewer_coefficients_than_the_network_is_refused(
    model: BodyModel,
) -> None:
    with pytest.raises(ModelFileError, match=r"has 50 shape .* speaks 200 and 50"):
        TorchSurface(model, n_betas=200, n_expression=50)


def test_joints_are_those_of_the_runtime(model: BodyModel) -> None:
    betas, R = someone(0)
    body = TorchBody(model, n_betas=16)
    posed = body.pose(body.rest_joints(betas), R)

    q = quaternions.from_matrix(R[0].numpy())
    shaped = model.shaped(betas[0].numpy(), np.zeros(1, np.float32))
    expected = shaped.posed(q, np.zeros(3, np.float32)).joints

    ours = posed.joints[0] - posed.joints[0, :1]
    np.testing.assert_allclose(ours, expected - expected[:1], atol=1e-5)


def test_rest_joints_follow_the_expression(any_model: BodyModel) -> None:
    some = people(2, any_model.n_betas, any_model.n_expression)
    body = TorchBody(any_model, n_betas=any_model.n_betas)

    joints = body.rest_joints(some.betas, some.expression)

    for i in range(2):
        shaped = any_model.shaped(some.betas[i].numpy(), some.expression[i].numpy())
        np.testing.assert_allclose(joints[i], shaped.joints, atol=TOLERANCE_M)
    silent = torch.zeros_like(some.expression)
    torch.testing.assert_close(
        body.rest_joints(some.betas), body.rest_joints(some.betas, silent)
    )


def test_face_points_are_those_of_the_runtimes_mesh(model: BodyModel) -> None:
    betas = torch.randn(1, 16, generator=torch.Generator().manual_seed(1)) * 0.5
    expression = torch.randn(1, model.n_expression) * 0.3
    R = torch.eye(3).repeat(1, JOINT_COUNT, 1, 1)
    R[:, JAW] = rotations.matrix_from_rotvec(torch.tensor([[0.25, 0.02, 0.0]]))
    body = TorchBody(model, n_betas=16)
    points = [1, 33, 263, 61, 291, 17, 152, 105]
    face = FacePoints(model, points, n_betas=16)
    rest = body.rest_joints(betas)
    local = face(betas, expression, R[:, JAW], rest[:, JAW] - rest[:, HEAD])

    q = quaternions.from_matrix(R[0].numpy()).astype(np.float32)
    shaped = model.shaped(betas[0].numpy(), expression[0].numpy())
    posed = shaped.posed(q, np.zeros(3, np.float32))
    assert model.mediapipe468_faces_idx is not None
    assert model.mediapipe468_bary_coords is not None
    corners = posed.vertices()[model.faces[model.mediapipe468_faces_idx[points]]]
    surface = np.einsum("pk,pkc->pc", model.mediapipe468_bary_coords[points], corners)
    expected = surface - posed.joints[HEAD]

    np.testing.assert_allclose(local[0], expected, atol=1.5e-3)


def test_gradients_reach_shape_and_pose(model: BodyModel) -> None:
    betas, R = someone(2)
    betas.requires_grad_()
    R.requires_grad_()
    body = TorchBody(model, n_betas=16)
    torch.autograd.backward(body.pose(body.rest_joints(betas), R).joints.sum())
    assert betas.grad is not None
    assert R.grad is not None
    assert betas.grad.abs().sum() > 0
    assert R.grad.abs().sum() > 0
