using CryptoPlane.Ike.Crypto;
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

    private static readonly Dictionary<string, EspCipher> s_espCiphers = new(StringComparer.Ordinal)
    {
        ["aes128gcm16"] = EspCipher.Aes128Gcm16, ["aes256gcm16"] = EspCipher.Aes256Gcm16, ["chacha20poly1305"] = EspCipher.ChaCha20Poly1305,
        ["aes128-sha256"] = EspCipher.Aes128CbcHmacSha256, ["aes256-sha256"] = EspCipher.Aes256CbcHmacSha256,
    };

    /// <summary>A proposal for an IKE SA: a cipher, a PRF and a key exchange.</summary>
    public static IEnumerable<IkeSuite> Ike(ConfigNode node)
    {
        string[] parts = node.AsText()?.Split('-') ?? [];
        if (parts.Length == 3 && s_ikeCiphers.TryGetValue(parts[0], out IkeCipher cipher) && s_prfs.TryGetValue(parts[1], out PrfAlgorithm prf)
            && s_exchanges.TryGetValue(parts[2], out KeyExchangeMethod exchange))
        {
            yield return new IkeSuite(cipher, prf, exchange);
            yield break;
        }
        node.Fail($"write a cipher ({Names(s_ikeCiphers)}), a PRF ({Names(s_prfs)}) and a key exchange ({Names(s_exchanges)}), as in aes256gcm16-prfsha384-x25519");
    }

    /// <summary>
    /// A proposal for a pair of ESP SAs: a cipher; a key exchange for forward secrecy; <c>esn</c> or <c>noesn</c>, without which both are
    /// proposed.
    /// </summary>
    public static IEnumerable<EspSuite> Esp(ConfigNode node)
    {
        string[] parts = node.AsText()?.Split('-') ?? [];
        // The name of a cipher that is not an AEAD has two parts.
        int next = parts is [_, "sha256", ..] ? 2 : 1;
        if (parts.Length > 0 && s_espCiphers.TryGetValue(string.Join('-', parts[..next]), out EspCipher cipher))
        {
            KeyExchangeMethod exchange = KeyExchangeMethod.None;
            if (next < parts.Length && s_exchanges.TryGetValue(parts[next], out exchange))
                next++;
            bool only = next == parts.Length - 1 && parts[next] is "esn" or "noesn";
            if (only || next == parts.Length)
            {
                if (!only || parts[next] == "esn")
                    yield return new EspSuite(cipher, ExtendedSequenceNumbers: true, exchange);
                if (!only || parts[next] == "noesn")
                    yield return new EspSuite(cipher, ExtendedSequenceNumbers: false, exchange);
                yield break;
            }
        }
        node.Fail($"write a cipher ({Names(s_espCiphers)}), if wanted a key exchange ({Names(s_exchanges)}), and esn or noesn, as in aes256gcm16-x25519-esn");
    }

    private static string Names<T>(Dictionary<string, T> known) => string.Join(", ", known.Keys);
}
