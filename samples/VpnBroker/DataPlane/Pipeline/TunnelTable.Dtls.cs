using System.Runtime.InteropServices;
using CryptoPlane.Ports;
using CryptoPlane.Tls.Dtls;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>The data channels over DTLS: a tunnel may have one besides its connection, and lives on without it.</summary>
internal sealed unsafe partial class TunnelTable
{
    /// <summary>
    /// Gives an open tunnel new keys for DTLS, in place of those it has. Data goes by it from the first record of the client on that opens.
    /// </summary>
    /// <param name="slot">The tunnel's slot.</param>
    /// <param name="tunnelId">The tunnel.</param>
    /// <param name="binding">Keys and address; says afterwards whether they were taken.</param>
    public void AttachDtls(int slot, ulong tunnelId, DtlsBinding* binding)
    {
        UserTunnel* tunnel = this[slot];
        if (tunnel->TunnelId != tunnelId || tunnel->State != TunnelState.Open || tunnel->Dtls == null || _context.DtlsPeers is not { } peers)
            return;
        ReleaseDtls(slot);
        if (!peers.TrySet(DtlsPeers.KeyOf(binding->Peer), _context.Index, slot))
            return;
        peers.TrySet(DtlsPeers.HostKeyOf(binding->Peer), _context.Index, slot);
        DtlsTrafficState* states = DtlsBinding.StatesOf(binding);
        tunnel->Dtls[0] = states[0];
        tunnel->Dtls[1] = states[1];
        NativeMemory.Clear(states, 2 * DtlsTrafficState.SizeInBytes);
        binding->Taken = 1;
        tunnel->DtlsPeer = binding->Peer;
        tunnel->DtlsPort = binding->Port;
        tunnel->DtlsReceived = tunnel->DtlsSent = tunnel->DtlsProbed = _context.NowMilliseconds;
        tunnel->DtlsProbes = 0;
        _context.Counters->Dtls.Begun++;
    }

    /// <summary>Gives a tunnel's DTLS up: its data goes by TLS. No operation with its keys may be in a burst.</summary>
    public void ReleaseDtls(int slot)
    {
        UserTunnel* tunnel = this[slot];
        if (!HasDtls(tunnel))
            return;
        SuspendDtls(slot);
        ForgetPeer(slot);
        tunnel->Dtls[0].Release(_context.Engine);
        tunnel->Dtls[1].Release(_context.Engine);
    }

    /// <summary>Whether a tunnel has keys for DTLS, working or not.</summary>
    public static bool HasDtls(UserTunnel* tunnel) => tunnel->Dtls != null && tunnel->Dtls->Suite != DtlsCipherSuite.None;

    /// <summary>A record of the client was opened: it is there, and gets its data by DTLS from now on.</summary>
    public void NoteDtls(int slot)
    {
        UserTunnel* tunnel = this[slot];
        tunnel->DtlsReceived = _context.NowMilliseconds;
        tunnel->DtlsProbes = 0;
        if ((tunnel->Flags & TunnelFlags.Dtls) != 0)
            return;
        tunnel->Flags |= TunnelFlags.Dtls;
        _context.Counters->Dtls.Channels++;
    }

    /// <summary>Data goes by TLS until the client is heard by DTLS again.</summary>
    /// <returns>Whether it went by DTLS.</returns>
    public bool SuspendDtls(int slot)
    {
        UserTunnel* tunnel = this[slot];
        if ((tunnel->Flags & TunnelFlags.Dtls) == 0)
            return false;
        tunnel->Flags &= ~TunnelFlags.Dtls;
        _context.Counters->Dtls.Channels--;
        return true;
    }

    /// <summary>The client's datagrams come from elsewhere now, as its newest record has proved.</summary>
    public void MoveDtls(int slot, in PacketEndpoint peer)
    {
        UserTunnel* tunnel = this[slot];
        DtlsPeers peers = _context.DtlsPeers!;
        ForgetPeer(slot);
        tunnel->DtlsPeer = peer;
        peers.TrySet(DtlsPeers.KeyOf(peer), _context.Index, slot);
        peers.TrySet(DtlsPeers.HostKeyOf(peer), _context.Index, slot);
        tunnel->Flags |= TunnelFlags.DtlsMoved;
        DtlsMovedUnreported++;
        _context.Counters->Dtls.Moved++;
    }

    /// <summary>Tunnels of which the supervisor is to be told that their clients have moved; at least so many.</summary>
    public int DtlsMovedUnreported { get; set; }

    /// <summary>Asks the client for a sign of life by DTLS.</summary>
    public void ProbeDtls(int slot)
    {
        UserTunnel* tunnel = this[slot];
        tunnel->DtlsProbed = _context.NowMilliseconds;
        if (tunnel->DtlsProbes < byte.MaxValue)
            tunnel->DtlsProbes++;
        Enqueue(slot, CstpType.DpdRequest, [], FrameChannel.Dtls);
    }

    /// <summary>What a record that was not opened is counted as.</summary>
    public static DropReason ReasonOf(DtlsOpenStatus status) => status switch
    {
        DtlsOpenStatus.Malformed => DropReason.DtlsMalformed,
        DtlsOpenStatus.WrongEpoch => DropReason.DtlsWrongEpoch,
        DtlsOpenStatus.Late => DropReason.DtlsLate,
        DtlsOpenStatus.Replayed => DropReason.DtlsReplayed,
        DtlsOpenStatus.BadRecordMac => DropReason.DtlsForged,
        _ => DropReason.DtlsUnexpected,
    };

    private void ForgetPeer(int slot)
    {
        UserTunnel* tunnel = this[slot];
        _context.DtlsPeers?.Remove(DtlsPeers.KeyOf(tunnel->DtlsPeer), _context.Index, slot);
        _context.DtlsPeers?.Remove(DtlsPeers.HostKeyOf(tunnel->DtlsPeer), _context.Index, slot);
    }
}
