using System.Buffers.Binary;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// The time between IKE_SA_INIT and IKE_AUTH, where both sides speak IKE_INTERMEDIATE (RFC 9242): which key exchanges are still to be made
/// (RFC 9370 §2.2.2), and what AUTH will cover of all that was said.
/// </summary>
internal sealed class IntermediatePhase(AdditionalKeyExchanges agreed) : IDisposable
{
    /// <summary>More than the seven key exchanges that there can be; what else a peer may want of these exchanges, it must not want for ever.</summary>
    private const int MaxExchanges = 16;

    private readonly Queue<KeyExchangeMethod> _awaited = new(agreed.Rounds);
    private byte[] _ofInitiator = [], _ofResponder = [];
    private uint _exchanges;

    /// <summary>The key exchange that comes next; <see cref="KeyExchangeMethod.None"/>: IKE_AUTH may come.</summary>
    public KeyExchangeMethod Awaited => _awaited.TryPeek(out KeyExchangeMethod method) ? method : KeyExchangeMethod.None;

    /// <summary>Whether the peer may begin another exchange.</summary>
    public bool MayGoOn => _exchanges < MaxExchanges;

    /// <summary>The keys that this exchange has made: they are for what follows its response.</summary>
    public IkeKeys? NextKeys { get; private set; }

    /// <summary>The key exchange is made.</summary>
    public void Made(IkeKeys next)
    {
        _awaited.Dequeue();
        NextKeys = next;
    }

    /// <summary>Gives the keys away.</summary>
    public IkeKeys? TakeNextKeys()
    {
        IkeKeys? keys = NextKeys;
        NextKeys = null;
        return keys;
    }

    /// <summary>
    /// A message of an exchange: IntAuth_i(n) = prf(SK_pi, IntAuth_i(n-1) | octets), and the same with r (RFC 9242 §3.3.2).
    /// </summary>
    /// <param name="fromInitiator">Who sent it.</param>
    /// <param name="keys">Those that protect it, before what the exchange itself makes of them.</param>
    /// <param name="octets">What <see cref="Authentication.IntermediateOctets"/> makes of it.</param>
    public void Cover(bool fromInitiator, IkeKeys keys, ReadOnlySpan<byte> octets)
    {
        ref byte[] chain = ref fromInitiator ? ref _ofInitiator : ref _ofResponder;
        byte[] next = new byte[keys.Suite.Prf.Length()];
        Prf.Compute(keys.Suite.Prf, fromInitiator ? keys.SkPi : keys.SkPr, [.. chain, .. octets], next);
        chain = next;
        if (fromInitiator)
            _exchanges++;
    }

    /// <summary>
    /// IntAuth, which AUTH covers after all else: IntAuth_i | IntAuth_r | the message ID of the first IKE_AUTH request (RFC 9242 §3.3.2). Empty
    /// where there was no exchange.
    /// </summary>
    public byte[] Result()
    {
        if (_exchanges == 0)
            return [];
        byte[] result = new byte[_ofInitiator.Length + _ofResponder.Length + sizeof(uint)];
        _ofInitiator.CopyTo(result, 0);
        _ofResponder.CopyTo(result, _ofInitiator.Length);
        // IKE_SA_INIT is 0, and the window is one request.
        BinaryPrimitives.WriteUInt32BigEndian(result.AsSpan(result.Length - sizeof(uint)), _exchanges + 1);
        return result;
    }

    /// <summary>Zeroes keys that nobody took.</summary>
    public void Dispose() => TakeNextKeys()?.Dispose();
}
