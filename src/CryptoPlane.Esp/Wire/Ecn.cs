namespace CryptoPlane.Esp.Wire;

/// <summary>Explicit congestion notification through a tunnel (RFC 6040).</summary>
internal static class Ecn
{
    public const byte NotEct = 0;
    public const byte Ect1 = 1;
    public const byte Ect0 = 2;
    public const byte CongestionExperienced = 3;

    /// <summary>The two bits in a traffic class.</summary>
    public const byte Mask = 3;

    /// <summary>The ECN field that leaves the tunnel (RFC 6040 §4.2, figure 4).</summary>
    /// <returns>False if the packet must be dropped: congestion was marked on a packet that cannot say so.</returns>
    public static bool TryDecapsulate(byte inner, byte outer, out byte ecn)
    {
        ecn = inner;
        switch (outer)
        {
            case CongestionExperienced:
                ecn = CongestionExperienced;
                return inner != NotEct;
            case Ect1 when inner == Ect0:
                ecn = Ect1;
                return true;
            default:
                return true;
        }
    }
}
