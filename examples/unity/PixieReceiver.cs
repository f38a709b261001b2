// Receives pixie-live's raw SMPL-X stream over OSC and poses Transforms with it.
//
//     pixie-live --demo --loop --osc 127.0.0.1:9000       (or --camera 0)
//
// Put it on an empty GameObject and press play: a skeleton of 55 Transforms appears below
// it and moves. Where a skeleton is there already, of Transforms that are called as
// SMPL-X's joints are (pelvis, left_hip, ...), that one is moved. No package is needed.
//
// For VRM avatars use VMC instead: docs/receivers/unity.md.

using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Text;
using UnityEngine;

public class PixieReceiver : MonoBehaviour
{
    public int port = 9000;
    // Number of the person to show.
    public int person = 0;

    // Weights of ARKit's 52 units, from eyeBlinkLeft to tongueOut.
    public float[] face = new float[52];
    // Body, left hand, right hand, face: 0 to 1.
    public float[] confidence = new float[4];
    // Number of the newest picture of which everything has arrived.
    public int frame = -1;

    static readonly string[] Names = (
        "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle " +
        "right_ankle spine3 left_foot right_foot neck left_collar right_collar head " +
        "left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist jaw " +
        "left_eye_smplhf right_eye_smplhf left_index1 left_index2 left_index3 " +
        "left_middle1 left_middle2 left_middle3 left_pinky1 left_pinky2 left_pinky3 " +
        "left_ring1 left_ring2 left_ring3 left_thumb1 left_thumb2 left_thumb3 " +
        "right_index1 right_index2 right_index3 right_middle1 right_middle2 " +
        "right_middle3 right_pinky1 right_pinky2 right_pinky3 right_ring1 right_ring2 " +
        "right_ring3 right_thumb1 right_thumb2 right_thumb3").Split(' ');

    static readonly int[] Parents = {
        -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15,
        20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38,
        21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53 };

    readonly Dictionary<string, Transform> joints = new Dictionary<string, Transform>();
    readonly float[] rest = new float[3 * 55];
    UdpClient socket;

    void OnEnable()
    {
        foreach (var child in GetComponentsInChildren<Transform>())
            joints[child.name] = child;
        for (int i = 0; i < Names.Length; i++)
        {
            if (joints.ContainsKey(Names[i])) continue;
            var made = new GameObject(Names[i]).transform;
            made.SetParent(i == 0 ? transform : joints[Names[Parents[i]]], false);
            joints[Names[i]] = made;
        }
        // IPAddress.Any listens to other machines too.
        socket = new UdpClient(new IPEndPoint(IPAddress.Loopback, port));
    }

    void OnDisable()
    {
        socket.Close();
    }

    void Update()
    {
        while (socket.Available > 0)
        {
            IPEndPoint sender = null;
            ReadBundle(socket.Receive(ref sender));
        }
    }

    // Whatever comes: anybody may send to the port, and a receiver must not hang or throw.
    void ReadBundle(byte[] data)
    {
        if (data.Length < 16 || Encoding.ASCII.GetString(data, 0, 7) != "#bundle") return;
        int part = 0, parts = 0, number = 0;
        for (int at = 16; at + 4 <= data.Length;)
        {
            int size = ReadInt(data, at);
            at += 4;
            if (size <= 0 || size > data.Length - at) return;
            int end = at + size;
            string address = ReadText(data, ref at, end), types = ReadText(data, ref at, end);
            var numbers = new List<float>();
            string name = "";
            foreach (char type in types)
            {
                if (type == 's') name = ReadText(data, ref at, end);
                if (type != 'f' && type != 'i') continue;
                if (at + 4 > end) return;
                numbers.Add(type == 'f' ? ReadFloat(data, at) : ReadInt(data, at));
                at += 4;
            }
            at = end;
            string start = "/pixie/" + person + "/";
            if (!address.StartsWith(start)) continue;
            if (address == start + "frame")
            {
                if (numbers.Count < 4) return;
                number = (int)numbers[0];
                part = (int)numbers[2];
                parts = (int)numbers[3];
            }
            else Take(address.Substring(start.Length), name, numbers);
        }
        if (parts > 0 && part == parts - 1) frame = number;
    }

    void Take(string what, string name, List<float> n)
    {
        Transform joint;
        if (what == "root" && n.Count == 7)
        {
            // The camera frame (x right, y down, z away), turned upright and mirrored.
            joints["pelvis"].localPosition = new Vector3(-n[0], -n[1], -n[2]);
            joints["pelvis"].localRotation = new Quaternion(n[3], n[6], -n[5], -n[4]);
        }
        else if (what == "joint" && n.Count == 4 && joints.TryGetValue(name, out joint))
            joint.localRotation = new Quaternion(n[1], -n[2], -n[3], n[0]);
        else if (what == "rest" && n.Count >= 2)
        {
            int first = (int)n[0];
            if (first < 0 || first > rest.Length - (n.Count - 2)) return;
            for (int i = 2; i < n.Count; i++) rest[first + i - 2] = n[i];
            for (int j = 1; j < 55; j++)
                joints[Names[j]].localPosition =
                    new Vector3(-rest[3 * j], rest[3 * j + 1], rest[3 * j + 2]);
        }
        else if (what == "arkit" && n.Count == 52) face = n.ToArray();
        else if (what == "confidence" && n.Count == 4) confidence = n.ToArray();
    }

    // OSC is big-endian.
    static int ReadInt(byte[] data, int at)
    {
        return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3];
    }

    static float ReadFloat(byte[] data, int at)
    {
        return BitConverter.ToSingle(BitConverter.GetBytes(ReadInt(data, at)), 0);
    }

    // A string ends with a zero and is filled up to a multiple of four bytes; one that has
    // no end before its message has is empty.
    static string ReadText(byte[] data, ref int at, int end)
    {
        int zero = at < end ? Array.IndexOf(data, (byte)0, at, end - at) : -1;
        string text = zero < 0 ? "" : Encoding.UTF8.GetString(data, at, zero - at);
        at = zero < 0 ? end : (zero / 4 + 1) * 4;
        return text;
    }
}
