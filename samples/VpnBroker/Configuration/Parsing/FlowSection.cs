using System.Numerics;
using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The section <c>flows</c>.</summary>
internal static class FlowSection
{
    private const long Second = 1_000_000_000;
    private const int MaximumSeconds = 7 * 86_400;

    private static readonly (string Key, SessionTimer Timer)[] s_timers =
    [
        ("tcpOpening", SessionTimer.TcpOpening), ("tcpEstablished", SessionTimer.TcpEstablished), ("tcpClosing", SessionTimer.TcpClosing),
        ("tcpClosed", SessionTimer.TcpClosed), ("udpUnanswered", SessionTimer.UdpUnanswered), ("udpAnswered", SessionTimer.UdpAnswered),
        ("icmp", SessionTimer.Icmp), ("other", SessionTimer.Other),
    ];

    public static FlowConfig Read(ConfigMap root)
    {
        var standard = new FlowConfig();
        if (root.Section("flows") is not { } map)
            return standard;
        var config = new FlowConfig
        {
            Enabled = map.Flag("enabled", standard.Enabled),
            Maximum = map.Number("maximum", standard.Maximum, 1024, 16_777_216),
            WhenFull = map.Find("whenFull")?.AsChoice(("evict", WhenFull.EvictOldestIdle), ("refuse", WhenFull.Refuse)) ?? standard.WhenFull,
            ActiveTimeoutSeconds = map.Seconds("activeTimeout", standard.ActiveTimeoutSeconds, neverAllowed: false, maximum: 86_400),
            HomesForAll = map.Find("homes")?.AsChoice(("users", false), ("all", true)) ?? standard.HomesForAll,
            RecordQueue = (int)BitOperations.RoundUpToPowerOf2((uint)map.Number("recordQueue", standard.RecordQueue, 64, 1_048_576)),
            Timeouts = Timeouts(map),
        };
        map.RefuseUnknownKeys();
        return config;
    }

    private static SessionTimeouts Timeouts(ConfigMap map)
    {
        SessionTimeouts times = SessionTimeouts.Default;
        if (map.Section("idle") is { } idle)
        {
            foreach ((string key, SessionTimer timer) in s_timers)
                times.SetIdle(timer, Second * Math.Max(1, idle.Seconds(key, (int)(times.Idle(timer) / Second), neverAllowed: false, MaximumSeconds)));
            idle.RefuseUnknownKeys();
        }
        if (map.Section("absolute") is { } absolute)
        {
            foreach ((string key, SessionTimer timer) in s_timers)
                times.SetAbsolute(timer, Second * absolute.Seconds(key, 0, neverAllowed: true, 366 * 86_400));
            absolute.RefuseUnknownKeys();
        }
        return times;
    }
}
