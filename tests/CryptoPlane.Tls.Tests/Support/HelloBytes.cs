using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Support;

/// <summary>A ClientHello or ServerHello taken apart, so that a test can change any field of it and put it together again.</summary>
internal sealed class HelloBytes
{
    private bool _isClient;

    public ushort Version { get; set; }

    public byte[] Random { get; set; } = [];

    public byte[] SessionId { get; set; } = [];

    /// <summary>The client's list, or the server's choice.</summary>
    public ushort[] Suites { get; set; } = [];

    /// <summary>The client's list, or the server's choice.</summary>
    public byte[] Compression { get; set; } = [];

    public List<(ExtensionType Type, byte[] Data)> Extensions { get; } = [];

    public static HelloBytes Parse(byte[] message)
    {
        var hello = new HelloBytes { _isClient = message[0] == (byte)HandshakeType.ClientHello };
        ExtensionList extensions;
        if (hello._isClient)
        {
            Assert.Null(ClientHello.Parse(message.AsSpan(4), out ClientHello client));
            (hello.Version, hello.Random, hello.SessionId) = (client.LegacyVersion, client.Random.ToArray(), client.SessionId.ToArray());
            var suites = new ushort[client.CipherSuites.Count];
            for (int i = 0; i < suites.Length; i++)
                suites[i] = client.CipherSuites[i];
            hello.Suites = suites;
            hello.Compression = client.CompressionMethods.ToArray();
            extensions = client.Extensions;
        }
        else
        {
            Assert.Null(ServerHello.Parse(message.AsSpan(4), out ServerHello server));
            (hello.Version, hello.Random, hello.SessionId) = (server.LegacyVersion, server.Random.ToArray(), server.SessionIdEcho.ToArray());
            hello.Suites = [server.CipherSuite];
            hello.Compression = [server.CompressionMethod];
            extensions = server.Extensions;
        }
        foreach (ExtensionList.Extension extension in extensions)
            hello.Extensions.Add((extension.Type, extension.Data.ToArray()));
        return hello;
    }

    public HelloBytes With(Action<HelloBytes> change)
    {
        change(this);
        return this;
    }

    /// <summary>Sets an extension in its place, or appends it.</summary>
    public HelloBytes Set(ExtensionType type, params byte[] data)
    {
        int index = Extensions.FindIndex(extension => extension.Type == type);
        if (index < 0)
            Extensions.Add((type, data));
        else
            Extensions[index] = (type, data);
        return this;
    }

    public HelloBytes Remove(ExtensionType type)
    {
        Extensions.RemoveAll(extension => extension.Type == type);
        return this;
    }

    public byte[] Get(ExtensionType type) => Extensions.Single(extension => extension.Type == type).Data;

    public byte[] ToMessage() => ScriptedPeer.Build(writer =>
    {
        WireWriter.LengthScope message = writer.BeginMessage(_isClient ? HandshakeType.ClientHello : HandshakeType.ServerHello);
        writer.WriteUInt16(Version);
        writer.WriteBytes(Random);
        writer.WriteVector8(SessionId);
        if (_isClient)
            writer.WriteUInt16((ushort)(2 * Suites.Length));
        foreach (ushort suite in Suites)
            writer.WriteUInt16(suite);
        if (_isClient)
            writer.WriteByte((byte)Compression.Length);
        writer.WriteBytes(Compression);
        WireWriter.LengthScope list = writer.Begin(2);
        foreach ((ExtensionType type, byte[] data) in Extensions)
        {
            writer.WriteUInt16((ushort)type);
            writer.WriteVector16(data);
        }
        writer.End(list);
        writer.End(message);
    });
}
