namespace CryptoPlane.Aead.Managed;

/// <summary>What comes before the end of a message, as a type: the hash so far, and whether it has been multiplied by H already.</summary>
internal interface IHashBefore
{
    /// <summary>Multiplications by H that the hash so far still needs before the next block is added to it: 1 or 0.</summary>
    static abstract int Pending { get; }
}

/// <summary>The AAD: its last block has been added, and not been multiplied.</summary>
internal readonly struct AfterAad : IHashBefore
{
    public static int Pending => 1;
}

/// <summary>Groups of data.</summary>
internal readonly struct AfterGroups : IHashBefore
{
    public static int Pending => 0;
}
