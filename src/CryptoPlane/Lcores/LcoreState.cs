namespace CryptoPlane.Lcores;

/// <summary>Where an lcore is in its life.</summary>
public enum LcoreState
{
    /// <summary>Not started.</summary>
    Created,

    /// <summary>Its thread runs.</summary>
    Running,

    /// <summary>Stopped as asked.</summary>
    Stopped,

    /// <summary>Stopped by an exception, which <see cref="Lcore.Failure"/> holds.</summary>
    Failed,
}
