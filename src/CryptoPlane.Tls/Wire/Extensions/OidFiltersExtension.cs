using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Wire;

/// <summary>oid_filters (RFC 8446 §4.2.5): what extensions of a client's certificate must say.</summary>
internal static class OidFiltersExtension
{
    /// <summary>Which must not be asked for.</summary>
    public const string AnyExtendedKeyUsage = "2.5.29.37.0";

    private const string KeyUsage = "2.5.29.15", ExtendedKeyUsage = "2.5.29.37";

    /// <summary>Checks a list: each OID once, in DER, and the values of those that are known as their extensions have them.</summary>
    public static TlsError? Parse(ReadOnlySpan<byte> data, out FilterList filters)
    {
        filters = default;
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> list) || !reader.IsAtEnd)
            return Malformed();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var entries = new WireReader(list);
        while (!entries.IsAtEnd)
        {
            if (!TryReadFilter(ref entries, out string oid, out ReadOnlySpan<byte> value))
                return Malformed();
            // RFC 8446 §4.2.5: "Any given OID MUST NOT appear more than once in the filters list."
            if (!seen.Add(oid))
                return TlsError.Illegal($"The CertificateRequest's oid_filters have {oid} twice.");
            if (value.IsEmpty)
                continue;
            if ((oid == KeyUsage && !TryReadBits(value, out _)) || (oid == ExtendedKeyUsage && !TryReadPurposes(value, out _)))
                return Malformed();
            // §4.2.5: "The special anyExtendedKeyUsage OID MUST NOT be used in the request."
            if (oid == ExtendedKeyUsage && TryReadPurposes(value, out HashSet<string> purposes) && purposes.Contains(AnyExtendedKeyUsage))
                return TlsError.Illegal("The CertificateRequest's oid_filters ask for anyExtendedKeyUsage.");
        }
        filters = new FilterList(list);
        return null;
    }

    /// <summary>Writes the list of Key Usage and Extended Key Usage, as far as they are asked for.</summary>
    /// <param name="keyUsages">None for no filter.</param>
    /// <param name="purposes">Empty for no filter.</param>
    /// <returns>Null if nothing is asked for.</returns>
    public static byte[]? Encode(X509KeyUsageFlags keyUsages, OidCollection purposes)
    {
        if (keyUsages == X509KeyUsageFlags.None && purposes.Count == 0)
            return null;
        var writer = new WireWriter();
        WireWriter.LengthScope list = writer.Begin(2);
        if (keyUsages != X509KeyUsageFlags.None)
            WriteFilter(writer, KeyUsage, new X509KeyUsageExtension(keyUsages, critical: false).RawData);
        if (purposes.Count != 0)
            WriteFilter(writer, ExtendedKeyUsage, new X509EnhancedKeyUsageExtension(purposes, critical: false).RawData);
        writer.End(list);
        return writer.Written.ToArray();
    }

    private static void WriteFilter(WireWriter writer, string oid, byte[] value)
    {
        var encoded = new AsnWriter(AsnEncodingRules.DER);
        encoded.WriteObjectIdentifier(oid);
        WireWriter.LengthScope name = writer.Begin(1);
        writer.WriteBytes(encoded.Encode());
        writer.End(name);
        writer.WriteVector16(value);
    }

    private static TlsError Malformed() => TlsError.Decode("The CertificateRequest's oid_filters are malformed.");

    private static bool TryReadFilter(ref WireReader reader, out string oid, out ReadOnlySpan<byte> value)
    {
        oid = "";
        value = default;
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> encoded) || !reader.TryReadVector16(out value))
            return false;
        try
        {
            oid = AsnDecoder.ReadObjectIdentifier(encoded, AsnEncodingRules.DER, out int length);
            return length == encoded.Length;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>The BIT STRING of a Key Usage (RFC 5280 §4.2.1.3).</summary>
    private static bool TryReadBits(ReadOnlySpan<byte> value, out ReadOnlySpan<byte> bits)
    {
        bits = default;
        try
        {
            return AsnDecoder.TryReadPrimitiveBitString(value, AsnEncodingRules.DER, out _, out bits, out int length) && length == value.Length;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>The OIDs of an Extended Key Usage (RFC 5280 §4.2.1.12): at least one.</summary>
    private static bool TryReadPurposes(ReadOnlySpan<byte> value, out HashSet<string> purposes)
    {
        purposes = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            AsnDecoder.ReadSequence(value, AsnEncodingRules.DER, out int start, out int size, out int length);
            if (length != value.Length)
                return false;
            ReadOnlySpan<byte> rest = value.Slice(start, size);
            while (!rest.IsEmpty)
            {
                purposes.Add(AsnDecoder.ReadObjectIdentifier(rest, AsnEncodingRules.DER, out int consumed));
                rest = rest[consumed..];
            }
            return purposes.Count != 0;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>A checked list of filters; the default is empty.</summary>
    public readonly ref struct FilterList(ReadOnlySpan<byte> list)
    {
        private readonly ReadOnlySpan<byte> _list = list;

        /// <summary>Whether a certificate has what is asked for. RFC 8446 §4.2.5: OIDs that are not recognized are skipped.</summary>
        public bool Match(X509Certificate2 certificate)
        {
            var reader = new WireReader(_list);
            while (!reader.IsAtEnd && TryReadFilter(ref reader, out string oid, out ReadOnlySpan<byte> wanted))
            {
                if (oid is KeyUsage or ExtendedKeyUsage && !Matches(certificate, oid, wanted))
                    return false;
            }
            return true;
        }

        private static bool Matches(X509Certificate2 certificate, string oid, ReadOnlySpan<byte> wanted)
        {
            if (certificate.Extensions[oid] is not { } extension)
                return false;
            if (wanted.IsEmpty)
                return true;
            return oid == KeyUsage ? HasBits(extension.RawData, wanted) : HasPurposes(extension.RawData, wanted);
        }

        /// <summary>§4.2.5: "all key usage bits asserted in the request are also asserted in the Key Usage certificate extension".</summary>
        private static bool HasBits(ReadOnlySpan<byte> own, ReadOnlySpan<byte> wanted)
        {
            if (!TryReadBits(own, out ReadOnlySpan<byte> ownBits) || !TryReadBits(wanted, out ReadOnlySpan<byte> wantedBits))
                return false;
            for (int i = 0; i < wantedBits.Length; i++)
            {
                int there = i < ownBits.Length ? ownBits[i] : 0;
                if ((wantedBits[i] & ~there) != 0)
                    return false;
            }
            return true;
        }

        /// <summary>§4.2.5: "all key purpose OIDs present in the request are also found in the Extended Key Usage certificate extension".</summary>
        private static bool HasPurposes(ReadOnlySpan<byte> own, ReadOnlySpan<byte> wanted) =>
            TryReadPurposes(own, out HashSet<string> ownPurposes) && TryReadPurposes(wanted, out HashSet<string> purposes)
            && purposes.IsSubsetOf(ownPurposes);
    }
}
