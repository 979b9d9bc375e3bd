namespace CryptoPlane.Ike.Wire;

/// <summary>A payload that <see cref="IkeWriter"/> can write.</summary>
internal interface IIkePayload
{
    PayloadType Type { get; }

    /// <summary>Writes what follows the generic payload header.</summary>
    void WriteBody(IkeWriter writer);
}
