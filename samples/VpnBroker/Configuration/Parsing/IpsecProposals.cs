using CryptoPlane.Ike.Crypto;
using CryptoPlane.PublicKey;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>Reads proposals as operators of IPsec write them: names of algorithms with hyphens between.</summary>
internal static class IpsecProposals
{
    private static readonly Dictionary<string, IkeCipher> s_ikeCiphers = new(StringComparer.Ordinal)
    {
        ["aes128gcm16"] = IkeCipher.Aes128Gcm16, ["aes256gcm16"] = IkeCipher.Aes256Gcm16,
    };

    private static readonly Dictionary<string, PrfAlgorithm> s_prfs = new(StringComparer.Ordinal)
    {
        ["prfsha256"] = PrfAlgorithm.HmacSha256, ["prfsha384"] = PrfAlgorithm.HmacSha384, ["prfsha512"] = PrfAlgorithm.HmacSha512,
    };

    private static readonly Dictionary<string, KeyExchangeMethod> s_exchanges = new(StringComparer.Ordinal)
    {
        ["x25519"] = KeyExchangeMethod.X25519, ["ecp256"] = KeyExchangeMethod.P256, ["ecp384"] = KeyExchangeMethod.P384,
    };

    /// <summary>Those that may follow as ke1_ to ke7_, as strongSwan writes them.</summary>
    private static readonly Dictionary<string, KeyExchangeMethod> s_additional = new(s_exchanges, StringComparer.Ordinal) { ["mlkem768"] = KeyExchangeMethod.MlKem768 };

    private static readonly Dictionary<string, EspCipher> s_espCiphers = new(StringComparer.Ordinal)
    {
        ["aes128gcm16"] = EspCipher.Aes128Gcm16, ["aes256gcm16"] = EspCipher.Aes256Gcm16, ["chacha20poly1305"] = EspCipher.ChaCha20Poly1305,
        ["aes128-sha256"] = EspCipher.Aes128CbcHmacSha256, ["aes256-sha256"] = EspCipher.Aes256CbcHmacSha256,
    };

    /// <summary>A proposal for an IKE SA: a cipher, a PRF, a key exchange, and further ones if wanted.</summary>
    public static IEnumerable<IkeSuite> Ike(ConfigNode node)
    {
        string[] parts = node.AsText()?.Split('-') ?? [];
        int next = 3;
        if (parts.Length >= 3 && s_ikeCiphers.TryGetValue(parts[0], out IkeCipher cipher) && s_prfs.TryGetValue(parts[1], out PrfAlgorithm prf)
            && s_exchanges.TryGetValue(parts[2], out KeyExchangeMethod exchange))
        {
            if (!TryReadAdditional(node, parts, ref next, exchange, out AdditionalKeyExchanges further))
                yield break;
            if (next == parts.Length)
            {
                yield return new IkeSuite(cipher, prf, exchange, further);
                yield break;
            }
        }
        node.Fail($"write a cipher ({Names(s_ikeCiphers)}), a PRF ({Names(s_prfs)}) and a key exchange ({Names(s_exchanges)}), as in aes256gcm16-prfsha384-x25519; {Further}");
    }

    /// <summary>Proposals with ML-KEM after the first key exchange, as the key <c>postQuantum</c> says.</summary>
    /// <param name="map">Where the key may be.</param>
    /// <param name="proposals">Without it.</param>
    /// <param name="otherwise">Without the key.</param>
    public static IReadOnlyList<IkeSuite> PostQuantum(ConfigMap map, IReadOnlyList<IkeSuite> proposals, PostQuantum otherwise)
    {
        if (map.Find("postQuantum") is not { } node)
            return otherwise == Parsing.PostQuantum.Off || KeyExchangeGroup.MlKem768 is null ? proposals : With(proposals, otherwise);
        if (node.AsChoice(("off", Parsing.PostQuantum.Off), ("preferred", Parsing.PostQuantum.Preferred), ("required", Parsing.PostQuantum.Required)) is not { } wanted)
            return proposals;
        if (proposals.Any(suite => !suite.Additional.IsEmpty))
            node.Fail("the proposals name further key exchanges themselves (ke1_…): leave postQuantum out");
        else if (wanted != Parsing.PostQuantum.Off && KeyExchangeGroup.MlKem768 is null)
            node.Fail("ML-KEM needs SHA-3, which this machine's OpenSSL does not have: write postQuantum: off");
        else
            return With(proposals, wanted);
        return proposals;
    }

    private static IReadOnlyList<IkeSuite> With(IReadOnlyList<IkeSuite> proposals, PostQuantum wanted)
    {
        IEnumerable<IkeSuite> hybrid = proposals.Select(suite => suite with { Additional = new(KeyExchangeMethod.MlKem768) });
        return wanted switch
        {
            Parsing.PostQuantum.Required => [.. hybrid],
            // A peer that cannot takes one of the others.
            Parsing.PostQuantum.Preferred => [.. hybrid, .. proposals],
            _ => proposals,
        };
    }

    /// <summary>
    /// A proposal for a pair of ESP SAs: a cipher; a key exchange for forward secrecy, and further ones if wanted; <c>esn</c> or <c>noesn</c>,
    /// without which both are proposed.
    /// </summary>
    public static IEnumerable<EspSuite> Esp(ConfigNode node)
    {
        string[] parts = node.AsText()?.Split('-') ?? [];
        // The name of a cipher that is not an AEAD has two parts.
        int next = parts is [_, "sha256", ..] ? 2 : 1;
        if (parts.Length > 0 && s_espCiphers.TryGetValue(string.Join('-', parts[..next]), out EspCipher cipher))
        {
            KeyExchangeMethod exchange = KeyExchangeMethod.None;
            AdditionalKeyExchanges further = default;
            if (next < parts.Length && s_exchanges.TryGetValue(parts[next], out exchange))
            {
                next++;
                if (!TryReadAdditional(node, parts, ref next, exchange, out further))
                    yield break;
            }
            bool only = next == parts.Length - 1 && parts[next] is "esn" or "noesn";
            if (only || next == parts.Length)
            {
                if (!only || parts[next] == "esn")
                    yield return new EspSuite(cipher, ExtendedSequenceNumbers: true, exchange, further);
                if (!only || parts[next] == "noesn")
                    yield return new EspSuite(cipher, ExtendedSequenceNumbers: false, exchange, further);
                yield break;
            }
        }
        node.Fail($"write a cipher ({Names(s_espCiphers)}), if wanted a key exchange ({Names(s_exchanges)}), and esn or noesn, as in aes256gcm16-x25519-esn; {Further}");
    }

    private static string Further => $"behind the key exchange, if wanted, further ones in ascending order, ke1_ to ke7_ ({Names(s_additional)}), as in x25519-ke1_mlkem768";

    /// <summary>Reads ke1_… to ke7_…, in ascending order, and none of a method that is there already.</summary>
    private static bool TryReadAdditional(ConfigNode node, string[] parts, ref int next, KeyExchangeMethod first, out AdditionalKeyExchanges further)
    {
        Span<KeyExchangeMethod> methods = stackalloc KeyExchangeMethod[AdditionalKeyExchanges.MaxCount];
        further = default;
        int last = 0;
        for (; next < parts.Length && parts[next] is ['k', 'e', >= '1' and <= '7', '_', ..] part; next++)
        {
            int number = part[2] - '0';
            if (!s_additional.TryGetValue(part[4..], out KeyExchangeMethod method) || number <= last || method == first || methods.Contains(method))
            {
                node.Fail($"{part}: {Further}; each is another method");
                return false;
            }
            if (method == KeyExchangeMethod.MlKem768 && KeyExchangeGroup.MlKem768 is null)
            {
                node.Fail($"{part}: ML-KEM needs SHA-3, which this machine's OpenSSL does not have");
                return false;
            }
            methods[number - 1] = method;
            last = number;
        }
        further = new AdditionalKeyExchanges(methods);
        return true;
    }

    private static string Names<T>(Dictionary<string, T> known) => string.Join(", ", known.Keys);
}
