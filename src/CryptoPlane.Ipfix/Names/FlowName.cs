using System.Text;

namespace CryptoPlane.Ipfix.Names;

/// <summary>A name as it is sent. It never changes: another name is another object, by which sinks see that they must tell it again.</summary>
public sealed class FlowName
{
    /// <summary>Bytes of a name that are sent at most.</summary>
    public const int MaximumOctets = 255;

    private readonly byte[] _name, _user;

    /// <summary>Converts to UTF-8 (RFC 7011 §6.1.6); what is too long is cut between two characters.</summary>
    /// <param name="name">The name.</param>
    /// <param name="user">The user; empty where there is none.</param>
    public FlowName(string name, string user)
    {
        _name = Encode(name);
        _user = Encode(user);
    }

    /// <summary>The name; empty for none.</summary>
    public ReadOnlySpan<byte> Name => _name;

    /// <summary>The user behind it; empty for none.</summary>
    public ReadOnlySpan<byte> User => _user;

    /// <summary>Whether it says this already.</summary>
    internal bool Is(string name, string user) => Encode(name).AsSpan().SequenceEqual(_name) && Encode(user).AsSpan().SequenceEqual(_user);

    private static byte[] Encode(string text)
    {
        Span<byte> bytes = stackalloc byte[MaximumOctets];
        // Stops before a character that does not fit whole. Halves of surrogate pairs become U+FFFD.
        Encoding.UTF8.GetEncoder().Convert(text, bytes, flush: true, out _, out int used, out _);
        return bytes[..used].ToArray();
    }
}

/// <summary>A record's numbers with what they stand for; null where nothing is known.</summary>
/// <param name="Ingress">Where the initiator's packets came from.</param>
/// <param name="Egress">Where they went.</param>
/// <param name="Rule">The rule that decided.</param>
/// <param name="DropReason">Why the first packet was dropped.</param>
/// <param name="ForwardingStatus">IANA's forwardingStatus of the flow.</param>
public readonly record struct FlowRecordNames(FlowName? Ingress, FlowName? Egress, FlowName? Rule, FlowName? DropReason, byte ForwardingStatus)
{
    /// <summary>The user whose flow it is: who began it, or else who is at its other end; empty for none.</summary>
    public ReadOnlySpan<byte> User => Ingress is { User.Length: > 0 } ? Ingress.User : Egress is null ? default : Egress.User;
}
