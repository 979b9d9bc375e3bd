namespace CryptoPlane.Tls.Tests;

/// <summary>Bytes typed in as RFCs print them.</summary>
internal static class Hex
{
    /// <summary>Reads hexadecimal digits; white space between them is ignored.</summary>
    public static byte[] Parse(string digits) => Convert.FromHexString(string.Concat(digits.Where(c => !char.IsWhiteSpace(c))));
}
