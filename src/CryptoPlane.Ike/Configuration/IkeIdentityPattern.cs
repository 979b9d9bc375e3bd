using System.Text;

namespace CryptoPlane.Ike;

/// <summary>
/// Which identities a connection takes from a peer: one, all of a domain (<c>*.example</c>, <c>*@example</c>), or any (<c>%any</c> or
/// <c>*</c>).
/// Immutable, safe for every thread.
/// </summary>
/// <remarks>A pattern says who may come; that the peer is who it says to be is authentication's to show.</remarks>
public sealed class IkeIdentityPattern
{
    private readonly IkeIdentity? _exact;
    private readonly IkeIdentityType _suffixType;
    private readonly byte[]? _suffix;
    private readonly string _text;

    private IkeIdentityPattern(string text, IkeIdentity? exact, IkeIdentityType suffixType = default, byte[]? suffix = null)
    {
        _text = text;
        _exact = exact;
        _suffixType = suffixType;
        _suffix = suffix;
    }

    /// <summary>Whoever can authenticate.</summary>
    public static IkeIdentityPattern Any { get; } = new("%any", null);

    /// <summary>The one identity that matches, or null where more than one does.</summary>
    public IkeIdentity? Exact => _exact;

    /// <summary>Exactly this identity.</summary>
    public static IkeIdentityPattern Only(IkeIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        return new IkeIdentityPattern(identity.ToString(), identity);
    }

    /// <summary>
    /// Reads <c>%any</c>, <c>*</c>, <c>*.domain</c>, <c>*@domain</c>, or an identity as <see cref="IkeIdentity.Parse"/> does.
    /// </summary>
    /// <exception cref="ArgumentException">It is none of these.</exception>
    public static IkeIdentityPattern Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        if (text is "%any" or "*")
            return Any;
        if (text.Length > 2 && text[0] == '*' && text[1] is '.' or '@' && !text.AsSpan(1).Contains('*') && Ascii.IsValid(text))
        {
            return new IkeIdentityPattern(text, null, text[1] == '.' ? IkeIdentityType.Fqdn : IkeIdentityType.Rfc822Address,
                Encoding.ASCII.GetBytes(text[1..]));
        }
        if (text.Contains('*') && !text.Contains('='))
            throw new ArgumentException($"'{text}': '*' may stand alone, or before '.domain' or '@domain'.", nameof(text));
        return Only(IkeIdentity.Parse(text));
    }

    /// <summary>Whether the identity is one of those.</summary>
    public bool Matches(IkeIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        if (_exact is not null)
            return _exact.Equals(identity);
        if (_suffix is null)
            return true;
        ReadOnlySpan<byte> data = identity.Data.Span;
        return identity.Type == _suffixType && data.Length > _suffix.Length && Ascii.EqualsIgnoreCase(data[^_suffix.Length..], _suffix);
    }

    /// <summary>As <see cref="Parse"/> takes it.</summary>
    public override string ToString() => _text;
}
