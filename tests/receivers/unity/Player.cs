// Plays the scene of one PixieReceiver: prints where its Transforms are, a line of JSON
// for every frame that has arrived.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Reflection;
using System.Threading;
using UnityEngine;

static class Player
{
    static void Call(object behaviour, string method)
    {
        var flags = BindingFlags.Instance | BindingFlags.NonPublic;
        behaviour.GetType().GetMethod(method, flags).Invoke(behaviour, null);
    }

    static void Main(string[] words)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        var receiver = new PixieReceiver { port = int.Parse(words[0]) };
        Call(receiver, "OnEnable");
        Console.WriteLine("playing");
        for (int shown = -1; ; Thread.Sleep(1))
        {
            Call(receiver, "Update");
            if (receiver.frame == shown) continue;
            shown = receiver.frame;
            var joints = new List<string>();
            foreach (var joint in receiver.GetComponentsInChildren<Transform>())
            {
                var p = joint.position;
                joints.Add(string.Format(
                    CultureInfo.InvariantCulture, "\"{0}\": [{1:R}, {2:R}, {3:R}]",
                    joint.name, p.x, p.y, p.z));
            }
            Console.WriteLine(
                "{{\"frame\": {0}, \"face\": {1}, \"joints\": {{{2}}}}}", shown,
                receiver.face.Length, string.Join(", ", joints));
        }
    }
}
