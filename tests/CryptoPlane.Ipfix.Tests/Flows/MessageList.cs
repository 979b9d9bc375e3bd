using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Messages;

namespace CryptoPlane.Ipfix.Tests.Flows;

/// <summary>Keeps the messages of a session.</summary>
internal sealed class MessageList : IIpfixOutput
{
    public List<byte[]> Messages { get; } = [];

    public int Flows { get; private set; }

    public void Write(ReadOnlySpan<byte> message, in FlowTotals flows)
    {
        Messages.Add(message.ToArray());
        Flows += flows.Records;
    }

    /// <summary>What a reader makes of all of them.</summary>
    public IpfixReader Read()
    {
        var reader = new IpfixReader();
        foreach (byte[] message in Messages)
            reader.Read(message);
        return reader;
    }
}
