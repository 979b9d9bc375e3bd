using CryptoPlane.Flows.Sessions;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>Users have tunnels under their addresses; ESP tunnels have an MTU.</summary>
internal readonly unsafe struct FlowTunnelCheck(LcoreContext context, TunnelTable tunnels, EspPairs pairs) : IFlowCheck
{
    public bool IsAlive(in SessionKey key, SessionState* session)
    {
        bool isUpper = (session->Flags & SessionFlags.InitiatorIsUpper) != 0;
        return IsAlive(session->Ingress, session->IngressId, isUpper ? key.Upper : key.Lower)
            && IsAlive(session->Egress, session->EgressId, isUpper ? key.Lower : key.Upper);
    }

    private bool IsAlive(uint path, ulong id, SessionAddress address)
    {
        switch ((FlowTunnelKind)(path >> 24))
        {
            case FlowTunnelKind.User:
                // The address counts, not the slot: a user who has come again has the same one, and goes on with its sessions.
                int host = context.Hosts.Find(AddressOf(address));
                return host >= 0 && (HostTarget.IsEsp(host) ? pairs.UserOf(HostTarget.EspTunnelOf(host))->SessionId : tunnels[host]->SessionId) == id;
            case FlowTunnelKind.Esp:
                // Where another peer leads there now, the session goes on by that one.
                return context.Forwarding->Esp((int)(path & 0xFF_FFFF)).Mtu != 0
                    || context.Forwarding->Find(AddressOf(address)).Kind is RouteKind.Esp or RouteKind.Peers;
            default:
                return true;
        }
    }

    private static InnerAddress AddressOf(SessionAddress address) =>
        address.IsIPv4 ? new InnerAddress(4, 0, (uint)address.Low) : new InnerAddress(6, address.High, address.Low);
}
