namespace CryptoPlane.Ike;

/// <summary>What is done with a connection when it is configured.</summary>
public enum IkeStartAction
{
    /// <summary>Nothing: the peer begins, or <see cref="IIkeEndpoint.Initiate"/>.</summary>
    None,

    /// <summary>It is initiated at once, and again after a while whenever it was lost.</summary>
    Start,
}
