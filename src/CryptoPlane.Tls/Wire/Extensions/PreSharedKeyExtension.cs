using System.Buffers.Binary;
using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Wire;

/// <summary>pre_shared_key (RFC 8446 §4.2.11), in the forms of ClientHello and ServerHello.</summary>
internal static class PreSharedKeyExtension
{
    /// <summary>Shortest binder: HMAC with SHA-256.</summary>
    private const int MinBinder = 32;

    /// <summary>Checks what a client offers.</summary>
    public static TlsError? Parse(ReadOnlySpan<byte> data, out ClientOffers offers)
    {
        offers = default;
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> identities) || identities.IsEmpty
            || !reader.TryReadVector16(out ReadOnlySpan<byte> binders) || binders.IsEmpty || !reader.IsAtEnd)
            return TlsError.Decode("The client's pre_shared_key is malformed.");
        int identityCount = 0, binderCount = 0;
        for (var rest = new WireReader(identities); !rest.IsAtEnd; identityCount++)
        {
            if (!rest.TryReadVector16(out ReadOnlySpan<byte> identity) || identity.IsEmpty || !rest.TryReadBytes(sizeof(uint), out _))
                return TlsError.Decode("An identity of the client's pre_shared_key is malformed.");
        }
        for (var rest = new WireReader(binders); !rest.IsAtEnd; binderCount++)
        {
            if (!rest.TryReadVector8(out ReadOnlySpan<byte> binder) || binder.Length < MinBinder)
                return TlsError.Decode("A binder of the client's pre_shared_key is malformed.");
        }
        if (identityCount != binderCount)
            return TlsError.Illegal("The client's pre_shared_key does not have a binder for each identity.");
        offers = new ClientOffers(identities, binders);
        return null;
    }

    /// <summary>Parses which of the offered keys the server took.</summary>
    public static bool TryParseSelected(ReadOnlySpan<byte> data, out ushort identity)
    {
        var reader = new WireReader(data);
        return reader.TryReadUInt16(out identity) && reader.IsAtEnd;
    }

    /// <summary>Writes the server's choice.</summary>
    public static void WriteSelected(WireWriter writer, ushort identity)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.PreSharedKey);
        writer.WriteUInt16(identity);
        writer.End(extension);
    }

    /// <summary>Writes what a client offers, with zeros in place of the binders: it must be the ClientHello's last extension.</summary>
    /// <returns>Bytes of the list of binders with its length, which end the message and are not hashed for the binder.</returns>
    public static int WriteClient(WireWriter writer, IReadOnlyList<Offer> offers)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.PreSharedKey);
        WireWriter.LengthScope identities = writer.Begin(2);
        Span<byte> number = stackalloc byte[sizeof(uint)];
        foreach (Offer offer in offers)
        {
            writer.WriteVector16(offer.Identity.Span);
            BinaryPrimitives.WriteUInt32BigEndian(number, offer.ObfuscatedAge);
            writer.WriteBytes(number);
        }
        writer.End(identities);
        int before = writer.Length;
        WireWriter.LengthScope binders = writer.Begin(2);
        Span<byte> zeros = stackalloc byte[TlsHashes.MaxLength];
        zeros.Clear();
        foreach (Offer offer in offers)
            writer.WriteVector8(zeros[..offer.BinderLength]);
        writer.End(binders);
        writer.End(extension);
        return writer.Length - before;
    }

    /// <summary>One key that a client offers.</summary>
    /// <param name="Identity">A ticket, or the name of an external key.</param>
    /// <param name="ObfuscatedAge">Of a ticket; RFC 8446 §4.2.11: 0 for an external key.</param>
    /// <param name="BinderLength">Of the key's hash.</param>
    public readonly record struct Offer(ReadOnlyMemory<byte> Identity, uint ObfuscatedAge, int BinderLength);

    /// <summary>What a client offers, checked.</summary>
    public readonly ref struct ClientOffers(ReadOnlySpan<byte> identities, ReadOnlySpan<byte> binders)
    {
        private readonly ReadOnlySpan<byte> _identities = identities, _binders = binders;

        /// <summary>Bytes of the list of binders with its length: they end the ClientHello, and no binder is over them (§4.2.11.2).</summary>
        public int BindersLength => 2 + _binders.Length;

        /// <summary>The first offer's obfuscated_ticket_age (§4.2.11.1): early data goes with that alone.</summary>
        public uint FirstObfuscatedAge
        {
            get
            {
                var names = new WireReader(_identities);
                return names.TryReadVector16(out _) && names.TryReadBytes(sizeof(uint), out ReadOnlySpan<byte> age) ? BinaryPrimitives.ReadUInt32BigEndian(age) : 0;
            }
        }

        /// <summary>Reads the offer at a place.</summary>
        /// <returns>False behind the last one.</returns>
        public bool TryGet(int index, out ReadOnlySpan<byte> identity, out ReadOnlySpan<byte> binder)
        {
            binder = default;
            var names = new WireReader(_identities);
            var macs = new WireReader(_binders);
            for (int i = 0; names.TryReadVector16(out identity) && names.TryReadBytes(sizeof(uint), out _) && macs.TryReadVector8(out binder); i++)
            {
                if (i == index)
                    return true;
            }
            return false;
        }
    }
}
