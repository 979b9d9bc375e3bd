namespace CryptoPlane.Tls.Wire;

/// <summary>key_share (RFC 8446 §4.2.8), in the forms of ClientHello, ServerHello and HelloRetryRequest.</summary>
internal static class KeyShareExtension
{
    /// <summary>Checks the client's list, which may be empty (it then asks for a HelloRetryRequest).</summary>
    /// <param name="data">The extension's data.</param>
    /// <param name="supportedGroups">What the client says to support.</param>
    /// <param name="shares">The checked list.</param>
    public static TlsError? Parse(ReadOnlySpan<byte> data, CodePointList supportedGroups, out ClientShareList shares)
    {
        shares = default;
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> list) || !reader.IsAtEnd)
            return TlsError.Decode("The client's key_share is malformed.");
        var entries = new WireReader(list);
        int position = -1;
        while (!entries.IsAtEnd)
        {
            if (!entries.TryReadUInt16(out ushort group) || !entries.TryReadVector16(out ReadOnlySpan<byte> share) || share.IsEmpty)
                return TlsError.Decode("An entry of the client's key_share is malformed.");
            // RFC 8446 §4.2.8: in the order of supported_groups, none of them absent there, none twice; servers may check, and this one does.
            int next = supportedGroups.IndexOf(group);
            if (next <= position)
                return TlsError.Illegal("The client's key_share does not follow its supported_groups.");
            position = next;
        }
        shares = new ClientShareList(list);
        return null;
    }

    /// <summary>Parses the server's share.</summary>
    public static bool TryParseServer(ReadOnlySpan<byte> data, out TlsNamedGroup group, out ReadOnlySpan<byte> share)
    {
        share = default;
        var reader = new WireReader(data);
        bool parsed = reader.TryReadUInt16(out ushort value) && reader.TryReadVector16(out share) && !share.IsEmpty && reader.IsAtEnd;
        group = (TlsNamedGroup)value;
        return parsed;
    }

    /// <summary>Parses the group that a HelloRetryRequest asks for.</summary>
    public static bool TryParseRetry(ReadOnlySpan<byte> data, out TlsNamedGroup group)
    {
        var reader = new WireReader(data);
        bool parsed = reader.TryReadUInt16(out ushort value) && reader.IsAtEnd;
        group = (TlsNamedGroup)value;
        return parsed;
    }

    /// <summary>A checked list of a client's shares.</summary>
    public readonly ref struct ClientShareList(ReadOnlySpan<byte> list)
    {
        private readonly ReadOnlySpan<byte> _list = list;

        public int Count
        {
            get
            {
                int count = 0;
                var reader = new WireReader(_list);
                while (reader.TryReadUInt16(out _) && reader.TryReadVector16(out _))
                    count++;
                return count;
            }
        }

        public bool TryGet(TlsNamedGroup group, out ReadOnlySpan<byte> share)
        {
            var reader = new WireReader(_list);
            while (reader.TryReadUInt16(out ushort entry) && reader.TryReadVector16(out share))
            {
                if (entry == (ushort)group)
                    return true;
            }
            share = default;
            return false;
        }
    }
}
