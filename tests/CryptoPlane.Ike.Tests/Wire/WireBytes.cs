using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Wire;

/// <summary>Bytes as RFCs print them, and single payloads of them.</summary>
internal static class WireBytes
{
    /// <summary>Reads hexadecimal digits; white space between them is ignored.</summary>
    public static byte[] Hex(string digits) => Convert.FromHexString(string.Concat(digits.Where(c => !char.IsWhiteSpace(c))));

    /// <summary>The body of a payload as the writer makes it, its generic header checked and taken off.</summary>
    public static byte[] BodyOf(IIkePayload payload)
    {
        IkeWriter writer = new();
        writer.Add(payload);
        Assert.Equal(payload.Type, writer.FirstPayload);
        byte[] written = writer.Written.ToArray();
        Assert.Equal([0, 0, (byte)(written.Length >> 8), (byte)written.Length], written[..PayloadView.HeaderSize]);
        return written[PayloadView.HeaderSize..];
    }
}
