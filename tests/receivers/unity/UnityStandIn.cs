// As much of Unity as PixieReceiver.cs uses, with the meaning that Unity's manual gives
// it: left-handed axes, quaternions x y z w that compose as parent * child.

using System.Collections.Generic;

namespace UnityEngine
{
    public struct Vector3
    {
        public float x, y, z;
        public Vector3(float x, float y, float z) { this.x = x; this.y = y; this.z = z; }
        public static Vector3 operator +(Vector3 a, Vector3 b)
        {
            return new Vector3(a.x + b.x, a.y + b.y, a.z + b.z);
        }
    }

    public struct Quaternion
    {
        public float x, y, z, w;
        public Quaternion(float x, float y, float z, float w)
        {
            this.x = x; this.y = y; this.z = z; this.w = w;
        }
        public static Quaternion operator *(Quaternion a, Quaternion b)
        {
            return new Quaternion(
                a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
                a.w * b.y + a.y * b.w + a.z * b.x - a.x * b.z,
                a.w * b.z + a.z * b.w + a.x * b.y - a.y * b.x,
                a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z);
        }
        public static Vector3 operator *(Quaternion q, Vector3 v)
        {
            var turned = q * new Quaternion(v.x, v.y, v.z, 0)
                * new Quaternion(-q.x, -q.y, -q.z, q.w);
            return new Vector3(turned.x, turned.y, turned.z);
        }
    }

    public class Transform
    {
        public string name;
        public Vector3 localPosition;
        public Quaternion localRotation = new Quaternion(0, 0, 0, 1);
        public readonly List<Transform> children = new List<Transform>();
        Transform parent;

        public void SetParent(Transform above, bool worldPositionStays)
        {
            parent = above;
            above.children.Add(this);
        }

        public Quaternion rotation
        {
            get { return parent == null ? localRotation : parent.rotation * localRotation; }
        }

        public Vector3 position
        {
            get
            {
                if (parent == null) return localPosition;
                return parent.position + parent.rotation * localPosition;
            }
        }
    }

    public class GameObject
    {
        public readonly Transform transform = new Transform();
        public GameObject(string name) { transform.name = name; }
    }

    public class MonoBehaviour
    {
        public readonly Transform transform = new Transform { name = "receiver" };

        public List<T> GetComponentsInChildren<T>()
        {
            var found = new List<T>();
            var left = new Stack<Transform>();
            left.Push(transform);
            while (left.Count > 0)
            {
                var next = left.Pop();
                found.Add((T)(object)next);
                next.children.ForEach(left.Push);
            }
            return found;
        }
    }
}
