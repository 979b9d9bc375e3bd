namespace CryptoPlane.Ike.Crypto;

/// <summary>
/// Key exchanges beyond the first (RFC 9370): a method for each of the transform types ADDKE1 to ADDKE7, or <see cref="KeyExchangeMethod.None"/>.
/// Immutable, with the equality of its methods. The default value has none.
/// </summary>
public readonly record struct AdditionalKeyExchanges
{
    /// <summary>Most of them (RFC 9370 §3.1.1).</summary>
    public const int MaxCount = 7;

    private readonly KeyExchangeMethod[]? _methods;

    /// <summary>Takes methods in the order in which they are used.</summary>
    /// <param name="methods">For ADDKE1, ADDKE2 and so on; <see cref="KeyExchangeMethod.None"/> leaves one out.</param>
    /// <exception cref="ArgumentException">There are more than seven, CryptoPlane does not have one, or one comes twice.</exception>
    public AdditionalKeyExchanges(params ReadOnlySpan<KeyExchangeMethod> methods)
    {
        while (methods is [.., KeyExchangeMethod.None])
            methods = methods[..^1];
        if (methods.Length > MaxCount)
            throw new ArgumentException($"There are at most {MaxCount} additional key exchanges.", nameof(methods));
        for (int i = 0; i < methods.Length; i++)
        {
            if (methods[i] == KeyExchangeMethod.None)
                continue;
            if (!KeyExchangeMethods.IsKnown(methods[i]))
                throw new ArgumentException($"There is no key exchange {methods[i]} here; ML-KEM needs a libcrypto with SHA-3.", nameof(methods));
            // RFC 9370 §2.2.2: no method twice.
            if (methods[..i].Contains(methods[i]))
                throw new ArgumentException($"The additional key exchange {methods[i]} is named twice.", nameof(methods));
        }
        _methods = methods.IsEmpty ? null : methods.ToArray();
    }

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _methods is null;

    /// <summary>The method of a transform type: 0 is ADDKE1.</summary>
    public KeyExchangeMethod this[int index] => _methods is not null && index < _methods.Length ? _methods[index] : KeyExchangeMethod.None;

    /// <summary>The methods that are used, one exchange each, in this order.</summary>
    public IEnumerable<KeyExchangeMethod> Rounds => _methods?.Where(method => method != KeyExchangeMethod.None) ?? [];

    /// <summary>Whether both have the same methods at the same places.</summary>
    public bool Equals(AdditionalKeyExchanges other) => _methods.AsSpan().SequenceEqual(other._methods);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (KeyExchangeMethod method in _methods ?? [])
            hash.Add(method);
        return hash.ToHashCode();
    }

    /// <summary>A plus sign and the name for each, as in +MlKem768, and its number where those before it are left out; empty where there are none.</summary>
    public override string ToString()
    {
        AdditionalKeyExchanges all = this;
        return string.Concat(Enumerable.Range(0, MaxCount).Where(i => all[i] != KeyExchangeMethod.None)
            .Select(i => i == 0 || all[i - 1] != KeyExchangeMethod.None ? $"+{all[i]}" : $"+{i + 1}:{all[i]}"));
    }
}
