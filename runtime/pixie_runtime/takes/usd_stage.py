"""A take as a USD stage in memory. Needs usd-core, the extra `usd`.

/take                   default prim
  body                  SkelRoot
    skeleton            SMPL-X's joints, rest axes all those of the world
      animation         rotations, translations, blend shape weights
    mesh                the skin, and a blend shape for each morph
  camera                the one that recorded the take
"""

from pathlib import Path

import numpy as np
from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdSkel, Vt

from pixie_runtime.smplx import JOINT_COUNT, JOINT_NAMES, PARENTS
from pixie_runtime.takes.morphs import Morph
from pixie_runtime.takes.skin import Skin, joints_at, local_offsets
from pixie_runtime.takes.take import Take
from pixie_runtime.types import Camera, Float32

_CLAY_LINEAR = (0.61, 0.515, 0.445)
_APERTURE = 36.0
"""Width of a film frame; only its ratio to the focal length counts."""
_NEAREST_M, _FARTHEST_M = 0.01, 1000.0


def joint_paths() -> list[str]:
    """Return each joint's name after those of its ancestors: pelvis/left_hip."""
    paths: list[str] = []
    for name, parent in zip(JOINT_NAMES, PARENTS, strict=True):
        paths.append(name if parent < 0 else f"{paths[parent]}/{name}")
    return paths


def stage_of(take: Take, skin: Skin | None) -> Usd.Stage:
    """Return the stage of a take: its skin and bones, or the bones alone."""
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(take.mocap_frame_rate)
    stage.SetFramesPerSecond(take.mocap_frame_rate)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(len(take) - 1)
    top = UsdGeom.Xform.Define(stage, "/take")
    stage.SetDefaultPrim(top.GetPrim())
    Usd.ModelAPI(top).SetKind("component")
    root = UsdSkel.Root.Define(stage, "/take/body")
    rest_joints = joints_at(take.rest_offsets()) if skin is None else skin.rest_joints
    skeleton = _skeleton(stage, rest_joints)
    animation = _animation(stage, take, rest_joints)
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    if skin is not None:
        _mesh(stage, skin, skeleton)
        root.CreateExtentAttr(_extent(take, skin.vertices, rest_joints))
        if skin.morphs:
            _weigh(animation, skin.morphs)
    _camera(stage, take.camera)
    return stage


def export(stage: Usd.Stage, path: Path) -> None:
    """Write a stage in the form that the name asks for. Raises OSError."""
    try:
        stage.GetRootLayer().Export(str(path))
    except Tf.ErrorException as error:
        # The first of several says what the system said.
        raise OSError(getattr(error.args[0], "commentary", error)) from error


def _skeleton(stage: Usd.Stage, rest_joints: Float32) -> UsdSkel.Skeleton:
    skeleton = UsdSkel.Skeleton.Define(stage, "/take/body/skeleton")
    skeleton.CreateJointsAttr(joint_paths())
    skeleton.CreateBindTransformsAttr(_translations(rest_joints))
    skeleton.CreateRestTransformsAttr(_translations(local_offsets(rest_joints)))
    return skeleton


def _animation(stage: Usd.Stage, take: Take, rest_joints: Float32) -> UsdSkel.Animation:
    animation = UsdSkel.Animation.Define(stage, "/take/body/skeleton/animation")
    animation.CreateJointsAttr(joint_paths())
    animation.CreateScalesAttr(Vt.Vec3hArray(JOINT_COUNT, Gf.Vec3h(1)))
    rotations = animation.CreateRotationsAttr()
    translations = animation.CreateTranslationsAttr()
    offsets = local_offsets(rest_joints)
    # In memory USD's quaternions have the real part last.
    xyzw = np.roll(take.rotations(), -1, axis=-1)
    with Sdf.ChangeBlock():
        for frame, pelvis in enumerate(take.world_joints()[:, 0]):
            offsets[0] = pelvis
            rotations.Set(Vt.QuatfArray.FromNumpy(xyzw[frame]), frame)
            translations.Set(Vt.Vec3fArray.FromNumpy(offsets), frame)
    return animation


def _weigh(animation: UsdSkel.Animation, morphs: tuple[Morph, ...]) -> None:
    animation.CreateBlendShapesAttr([morph.name for morph in morphs])
    weights = animation.CreateBlendShapeWeightsAttr()
    by_frame = np.stack([morph.weights for morph in morphs], axis=1)
    with Sdf.ChangeBlock():
        for frame, row in enumerate(by_frame):
            weights.Set(Vt.FloatArray.FromNumpy(row), frame)


def _mesh(stage: Usd.Stage, skin: Skin, skeleton: UsdSkel.Skeleton) -> None:
    mesh = UsdGeom.Mesh.Define(stage, "/take/body/mesh")
    faces = skin.model.faces.astype(np.int32)
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(skin.vertices))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray(len(faces), 3))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(faces.ravel()))
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(skin.normals))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(mesh.GetPointsAttr().Get()))
    mesh.CreateDisplayColorAttr([Gf.Vec3f(*_CLAY_LINEAR)])
    mesh.CreateDoubleSidedAttr(True)  # the mouth is open at the back
    if skin.model.vt is not None and skin.model.ft is not None:
        st = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
            "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying
        )
        st.Set(Vt.Vec2fArray.FromNumpy(skin.model.vt))
        st.SetIndices(Vt.IntArray.FromNumpy(skin.model.ft.astype(np.int32).ravel()))
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1))
    influences = skin.joints.shape[1]
    joints = np.ascontiguousarray(skin.joints, np.int32)
    binding.CreateJointIndicesPrimvar(False, influences).Set(
        Vt.IntArray.FromNumpy(joints.ravel())
    )
    binding.CreateJointWeightsPrimvar(False, influences).Set(
        Vt.FloatArray.FromNumpy(np.ascontiguousarray(skin.weights).ravel())
    )
    binding.CreateBlendShapesAttr([morph.name for morph in skin.morphs])
    binding.CreateBlendShapeTargetsRel().SetTargets(
        [_blend_shape(stage, mesh, morph) for morph in skin.morphs]
    )


def _blend_shape(stage: Usd.Stage, mesh: UsdGeom.Mesh, morph: Morph) -> Sdf.Path:
    path = mesh.GetPath().AppendChild(morph.name)
    shape = UsdSkel.BlendShape.Define(stage, path)
    shape.CreateOffsetsAttr(Vt.Vec3fArray.FromNumpy(morph.offsets))
    vertices = morph.vertices.astype(np.int32)
    shape.CreatePointIndicesAttr(Vt.IntArray.FromNumpy(vertices))
    return path


def _extent(take: Take, vertices: Float32, rest_joints: Float32) -> Vt.Vec3fArray:
    """Return a box that holds the body in every frame: its reach about the pelvis."""
    reach = np.linalg.norm(vertices - rest_joints[0], axis=1).max()
    pelvis = take.world_joints()[:, 0]
    box = np.stack([pelvis.min(axis=0) - reach, pelvis.max(axis=0) + reach])
    return Vt.Vec3fArray.FromNumpy(box.astype(np.float32))


def _camera(stage: Usd.Stage, seen_by: Camera) -> None:
    width, height = seen_by.size_px
    per_pixel = _APERTURE / width
    camera = UsdGeom.Camera.Define(stage, "/take/camera")
    camera.CreateFocalLengthAttr(seen_by.focal_px * per_pixel)
    camera.CreateHorizontalApertureAttr(_APERTURE)
    camera.CreateVerticalApertureAttr(height * per_pixel)
    x, y = seen_by.centre_px
    camera.CreateHorizontalApertureOffsetAttr((width / 2 - x) * per_pixel)
    camera.CreateVerticalApertureOffsetAttr((y - height / 2) * per_pixel)
    camera.CreateClippingRangeAttr(Gf.Vec2f(_NEAREST_M, _FARTHEST_M))


def _translations(places: Float32) -> Vt.Matrix4dArray:
    matrices = np.tile(np.eye(4), (len(places), 1, 1))
    matrices[:, 3, :3] = places  # USD's matrices multiply rows from the right
    return Vt.Matrix4dArray.FromNumpy(matrices)
