using CryptoPlane.Aead;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>One message with all that is known about it.</summary>
internal sealed record TestMessage(
    string Name,
    AeadAlgorithm Algorithm,
    byte[] Key,
    byte[] Nonce,
    byte[] Aad,
    byte[] Plaintext,
    byte[] Ciphertext,
    byte[] Tag)
{
    /// <summary>False if the tag is wrong on purpose: the message must not open.</summary>
    public bool Valid { get; init; } = true;
}

/// <summary>What a burst does with a message.</summary>
/// <param name="Message">The message.</param>
/// <param name="Direction">Seal or open.</param>
/// <param name="InPlace">Whether destination and source are the same memory.</param>
/// <param name="Offset">Distance of source and destination from a 64-byte boundary.</param>
internal sealed record BurstItem(TestMessage Message, AeadDirection Direction, bool InPlace, int Offset = 0);
