using System.Security.Cryptography;

namespace CryptoPlane.PublicKey.MlKem;

/// <summary>ML-KEM-768 by our own code: the initiator's share is an encapsulation key, the responder's a ciphertext.</summary>
internal sealed class MlKemGroup() : KeyExchangeGroup("ML-KEM-768", MlKem768Algorithm.EncapsulationKeySize, MlKem768Algorithm.CiphertextSize, MlKem768Algorithm.SecretSize)
{
    /// <inheritdoc/>
    public override KeyExchangeInitiator CreateInitiator()
    {
        Span<byte> seed = stackalloc byte[MlKem768Algorithm.KeySeedSize];
        RandomNumberGenerator.Fill(seed);
        // Pinned: the collector leaves no copies behind when it moves things.
        byte[] key = GC.AllocateUninitializedArray<byte>(MlKem768Algorithm.DecapsulationKeySize, pinned: true);
        MlKem768Algorithm.GenerateKeys(seed, key);
        CryptographicOperations.ZeroMemory(seed);
        return new MlKemInitiator(this, key);
    }

    /// <inheritdoc/>
    public override bool TryRespond(ReadOnlySpan<byte> initiatorShare, Span<byte> responderShare, Span<byte> secret)
    {
        CheckOutputs(responderShare, secret);
        if (!MlKem768Algorithm.IsEncapsulationKey(initiatorShare))
        {
            responderShare.Clear();
            secret.Clear();
            return false;
        }
        Span<byte> message = stackalloc byte[MlKem768Algorithm.SecretSize];
        RandomNumberGenerator.Fill(message);
        MlKem768Algorithm.Encapsulate(initiatorShare, message, responderShare, secret);
        CryptographicOperations.ZeroMemory(message);
        return true;
    }
}
