using System.Text;
using System.Text.Json;
using CryptoPlane.Flows.Sessions;
using VpnBroker.Configuration;

namespace VpnBroker.Hosting;

/// <summary>What of a configuration a running broker cannot change: sockets, threads, address homes, keys.</summary>
internal static class RestartChecks
{
    private static readonly JsonSerializerOptions s_withFields = new() { IncludeFields = true };

    /// <summary>The sections that differ and need a restart.</summary>
    public static IReadOnlyList<string> Differences(BrokerConfig before, BrokerConfig after)
    {
        Dictionary<string, string> old = Describe(before);
        return [.. Describe(after).Where(section => old[section.Key] != section.Value).Select(section => section.Key)];
    }

    private static Dictionary<string, string> Describe(BrokerConfig config) => new()
    {
        ["listen"] = string.Join(' ', config.Listen?.Endpoints ?? []),
        ["dtls"] = config.Dtls.ToString(),
        ["authentication"] =
            $"{config.Authentication?.UsersFile} {config.Authentication?.IkeUsersFile} {config.Authentication?.Certificates?.InsteadOfPassword}",
        ["pools"] = string.Join(' ', config.Pools.Select(pool => $"{pool.Name}={pool.IPv4},{pool.IPv6}")),
        ["lcores"] = $"{string.Join(' ', config.Lcores.Cpus)} {config.Lcores.Idle}",
        ["dpdk (all but routes)"] = config.Dpdk is { } dpdk ? Describe(dpdk) : "",
        ["tun (all but routes)"] = config.Tun is { } tun
            ? $"{tun.Name} {string.Join(' ', tun.Addresses)} {tun.Mtu} {string.Join(' ', tun.KernelRoutes)}"
            : "",
        ["esp (all but remotePrefixes)"] = config.Esp is { } esp ? Describe(esp) : "",
        ["ipsec (all but peers)"] = config.Ipsec is { } ipsec ? $"{string.Join(' ', ipsec.Listen)} {ipsec.MaximumChildren} {ipsec.PlainEsp} {ipsec.InsecureKeyLog}" : "",
        // Values and lists of values, down to the last limit; its tuples have fields.
        ["traffic (all but outside, inside, users, tunnels and the police of classes)"] = JsonSerializer.Serialize(WithoutLimits(config.Traffic), s_withFields),
        ["flows (a policy turns them on)"] = DescribeFlows(config),
        ["ipsec.remoteAccess (adding and removing it)"] = (config.Ipsec?.RemoteAccess is null).ToString(),
        ["export (whether there is one, and startRecords)"] = config.Export?.StartRecords.ToString() ?? "",
        ["control"] = config.Control.Socket,
        ["metrics"] = $"{config.Metrics.Listen} {string.Join(' ', config.Metrics.Hosts)} {config.Metrics.Users} {config.Metrics.Otlp}",
        ["web"] = config.Web?.Listen.ToString() ?? "",
        ["log.json"] = config.Log.Json.ToString(),
    };

    /// <summary>What of the traffic the queues are made by, and not what their rates are.</summary>
    private static TrafficConfig? WithoutLimits(TrafficConfig? traffic) => traffic is null ? null : traffic with
    {
        Outside = default,
        Inside = default,
        Users = [],
        Tunnels = [],
        Classes = [.. traffic.Classes.Select(one => one with { Police = default })],
    };

    private static string DescribeFlows(BrokerConfig config)
    {
        FlowConfig flows = config.Flows;
        // With one lcore every session is at home.
        bool homesForAll = config.Lcores.Count > 1 && (flows.HomesForAll || config.Policy is not null);
        SessionTimer[] timers = Enum.GetValues<SessionTimer>();
        return $"{config.KeepsFlows} {flows.Maximum} {flows.WhenFull} {flows.ActiveTimeoutSeconds} {homesForAll} {flows.RecordQueue} "
            + string.Join(' ', timers.Select(timer => $"{flows.Timeouts.Idle(timer)},{flows.Timeouts.Absolute(timer)}"));
    }

    private static string Describe(DpdkConfig dpdk)
    {
        var text = new StringBuilder($"{dpdk.HugePages} {dpdk.Megabytes} {dpdk.LogLevel} {dpdk.AllowUnsafeMemif} {dpdk.Dispatch}");
        text.AppendJoin(' ', [.. dpdk.VirtualDevices, "|", .. dpdk.PciDevices, "|", .. dpdk.Arguments]);
        foreach (CryptoDeviceConfig crypto in dpdk.Crypto)
            text.Append($" {crypto.Device} {crypto.Depth} {crypto.Sessions} {crypto.QatThreshold} {string.Join(',', crypto.Lcores)}");
        foreach (EthernetPortConfig port in dpdk.Ports)
        {
            text.Append($" {port.Name} {port.Device} {port.Role} {port.Mtu} {port.ExceptionTap} {port.ExceptionDevice} {port.ReceiveDescriptors} {port.TransmitDescriptors} ");
            text.AppendJoin(' ', port.Addresses).Append('|').AppendJoin(' ', port.Gateways).Append('|').AppendJoin(' ', port.KernelRoutes);
        }
        return text.ToString();
    }

    private static string Describe(EspConfig esp)
    {
        var text = new StringBuilder($"{esp.StateFile} {esp.ReserveBlock}");
        foreach (EspTunnelConfig tunnel in esp.Tunnels)
        {
            text.Append($" {tunnel.Name} {tunnel.Mode} {tunnel.Local} {tunnel.Remote} {tunnel.Mtu}");
            foreach (EspSaPairConfig pair in tunnel.Pairs)
                text.Append($" {pair.Lcore}").Append(Describe(pair.Inbound)).Append(Describe(pair.Outbound));
        }
        return text.ToString();
    }

    private static string Describe(EspSaConfig sa) =>
        $" {sa.Spi} {sa.Key.Fingerprint} {Convert.ToHexString(sa.Key.Salt)} {sa.Esn} {sa.ReplayWindow}";
}
