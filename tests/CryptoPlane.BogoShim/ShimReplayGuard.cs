using CryptoPlane.Tls;

namespace CryptoPlane.BogoShim;

/// <summary>
/// Takes each ticket's early data once. <see cref="TlsReplayGuard"/> would refuse all at first: the server has just begun, and its clock
/// stands still.
/// </summary>
internal sealed class ShimReplayGuard : ITlsReplayGuard
{
    private readonly HashSet<string> _seen = [];

    public bool TryUse(ReadOnlySpan<byte> id, long earliest, long latest) => _seen.Add(Convert.ToHexString(id));
}
