using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace CryptoPlane.Ike;

/// <summary>
/// Who somebody says to be (RFC 7296 §3.5): the body of an IDi or IDr payload, checked. Immutable, safe for every thread. Two identities
/// are equal where their types and bytes are; domain names and the domains of mail addresses are compared without regard to case.
/// </summary>
public sealed class IkeIdentity : IEquatable<IkeIdentity>
{
    /// <summary>
    /// Longest identity in bytes. The RFC knows no limit; it holds the longest name that any certificate may reasonably have.
    /// </summary>
    public const int MaxSize = 1024;

    private readonly byte[] _data;

    private IkeIdentity(IkeIdentityType type, byte[] data)
    {
        Type = type;
        _data = data;
    }

    /// <summary>How <see cref="Data"/> is to be read.</summary>
    public IkeIdentityType Type { get; }

    /// <summary>The identification data as it is on the wire, behind the type and three reserved bytes.</summary>
    public ReadOnlyMemory<byte> Data => _data;

    /// <summary>A domain name, such as <c>gateway.example</c>.</summary>
    /// <exception cref="ArgumentException">It is not a name of printable ASCII characters without '@', or too long.</exception>
    public static IkeIdentity Fqdn(string name) => FromText(IkeIdentityType.Fqdn, name);

    /// <summary>A mail address, such as <c>user@example</c>.</summary>
    /// <exception cref="ArgumentException">It is not of printable ASCII characters with one '@' inside, or too long.</exception>
    public static IkeIdentity Mail(string address) => FromText(IkeIdentityType.Rfc822Address, address);

    /// <summary>An address of either family.</summary>
    public static IkeIdentity Address(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        bool ipv4 = address.AddressFamily == AddressFamily.InterNetwork;
        return new IkeIdentity(ipv4 ? IkeIdentityType.Ipv4Address : IkeIdentityType.Ipv6Address, address.GetAddressBytes());
    }

    /// <summary>A distinguished name, such as a certificate's subject.</summary>
    public static IkeIdentity DistinguishedName(X500DistinguishedName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.RawData.Length > MaxSize)
            throw new ArgumentException($"The distinguished name has more than {MaxSize} bytes.", nameof(name));
        return new IkeIdentity(IkeIdentityType.DerAsn1Dn, [.. name.RawData]);
    }

    /// <summary>Bytes that only the peers understand.</summary>
    /// <exception cref="ArgumentException">There are none, or too many.</exception>
    public static IkeIdentity KeyId(ReadOnlySpan<byte> data) =>
        TryCreate(IkeIdentityType.KeyId, data, out IkeIdentity? identity)
            ? identity : throw new ArgumentException($"A key ID has 1 to {MaxSize} bytes.", nameof(data));

    /// <summary>
    /// Reads an identity as people write it: an address, a mail address, a distinguished name (anything with a '='), <c>@#</c> and
    /// hexadecimal digits for a key ID, else a domain name.
    /// </summary>
    /// <exception cref="ArgumentException">It is none of these; the message says why.</exception>
    public static IkeIdentity Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        if (IPAddress.TryParse(text, out IPAddress? address))
            return Address(address);
        if (text.StartsWith("@#", StringComparison.Ordinal))
        {
            try
            {
                return KeyId(Convert.FromHexString(text.AsSpan(2)));
            }
            catch (FormatException e)
            {
                throw new ArgumentException($"'{text}' is no key ID: hexadecimal digits must follow '@#'.", nameof(text), e);
            }
        }
        if (text.Contains('='))
        {
            try
            {
                return DistinguishedName(new X500DistinguishedName(text));
            }
            catch (CryptographicException e)
            {
                throw new ArgumentException($"'{text}' is no distinguished name.", nameof(text), e);
            }
        }
        return text.Contains('@') ? Mail(text) : Fqdn(text);
    }

    /// <summary>Takes an identity from the wire.</summary>
    /// <param name="type">The payload's "ID Type".</param>
    /// <param name="data">What follows the reserved bytes.</param>
    /// <param name="identity">The identity, or null.</param>
    /// <returns>False for a type that nobody can check here, and for bytes that are none of that type.</returns>
    public static bool TryCreate(IkeIdentityType type, ReadOnlySpan<byte> data, [NotNullWhen(true)] out IkeIdentity? identity)
    {
        bool valid = data.Length is > 0 and <= MaxSize && type switch
        {
            IkeIdentityType.Ipv4Address => data.Length == 4,
            IkeIdentityType.Ipv6Address => data.Length == 16,
            IkeIdentityType.Fqdn => IsPrintable(data) && !data.Contains((byte)'@'),
            IkeIdentityType.Rfc822Address => IsPrintable(data) && data.Count((byte)'@') == 1 && data[0] != '@' && data[^1] != '@',
            IkeIdentityType.DerAsn1Dn => IsDistinguishedName(data),
            IkeIdentityType.KeyId => true,
            _ => false,
        };
        identity = valid ? new IkeIdentity(type, data.ToArray()) : null;
        return valid;
    }

    /// <inheritdoc/>
    public bool Equals(IkeIdentity? other)
    {
        if (other is null || other.Type != Type)
            return false;
        // RFC 4343: domain names know no case. RFC 5321 §2.4: nor does the part of a mail address behind the '@'; the part before it may.
        return Type switch
        {
            IkeIdentityType.Fqdn => Ascii.EqualsIgnoreCase(_data, other._data),
            IkeIdentityType.Rfc822Address => EqualMail(_data, other._data),
            _ => _data.AsSpan().SequenceEqual(other._data),
        };
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as IkeIdentity);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Type);
        bool text = Type is IkeIdentityType.Fqdn or IkeIdentityType.Rfc822Address;
        foreach (byte value in _data)
            hash.Add(text ? (byte)(value | 0x20) : value);
        return hash.ToHashCode();
    }

    /// <summary>As <see cref="Parse"/> takes it.</summary>
    public override string ToString() => Type switch
    {
        IkeIdentityType.Ipv4Address or IkeIdentityType.Ipv6Address => new IPAddress(_data).ToString(),
        IkeIdentityType.DerAsn1Dn => new X500DistinguishedName(_data).Name,
        IkeIdentityType.KeyId => "@#" + Convert.ToHexStringLower(_data),
        _ => Encoding.ASCII.GetString(_data),
    };

    private static IkeIdentity FromText(IkeIdentityType type, string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        // Characters outside ASCII become bytes of 128 and more, which the check refuses.
        return TryCreate(type, Encoding.UTF8.GetBytes(text), out IkeIdentity? identity)
            ? identity
            : throw new ArgumentException(
                $"'{text}' is no {(type == IkeIdentityType.Fqdn ? "domain name" : "mail address")} of printable ASCII characters.", nameof(text));
    }

    // RFC 7296 §3.5: the string must not contain terminators (NUL, CR); what is not printable would also lie to who reads a log.
    private static bool IsPrintable(ReadOnlySpan<byte> data) => !data.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E);

    private static bool IsDistinguishedName(ReadOnlySpan<byte> data)
    {
        try
        {
            // Reads all of the name: a SEQUENCE of sets of attributes, with nothing behind it.
            var name = new X500DistinguishedName(data.ToArray());
            foreach (X500RelativeDistinguishedName part in name.EnumerateRelativeDistinguishedNames())
                _ = part.HasMultipleElements;
            return name.Name.Length != 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool EqualMail(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int at = left.IndexOf((byte)'@');
        return at == right.IndexOf((byte)'@') && left[..at].SequenceEqual(right[..at]) && Ascii.EqualsIgnoreCase(left[at..], right[at..]);
    }
}
